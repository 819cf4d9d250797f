import Glibc

/// An error that a program can react to (`code`), that names what failed (`resource`), and that a person can read:
/// its `description` is one sentence that says what happened, where, and what to do.
public protocol ExplainedError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure.
    var code: ErrorCode { get }
    /// What it is about: a path, a line, a component, a host.
    var resource: String { get }
}

/// What a failed system call means, in words, such as `No space left on device`.
///
/// - Parameter number: The call's errno.
/// - Returns: The system's words for it.
public func errorText(_ number: Int32) -> String {
    String(cString: strerror(number))
}

extension Error {
    /// The error in words: its own where it has some.
    public var explanation: String {
        (self as? any ExplainedError)?.description ?? String(describing: self)
    }
}
