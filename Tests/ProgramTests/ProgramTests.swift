import Testing

/// The programs as a user starts them.
///
/// One after the other: each test starts several of them, and a machine with two processors has other tests to run.
@Suite(.serialized) enum ProgramTests {}
