/// A parser of bytes that somebody else wrote, and what it promises whatever they are.
///
/// The same targets are fuzzed by `make fuzz` and replayed over Tests/Corpus by FuzzTests.
public struct FuzzTarget: Sendable, CustomStringConvertible {
    /// Its name, and that of its folder in Tests/Corpus.
    public let name: String
    /// The folders of Tests/Corpus from which a search begins, its own first.
    public let seeds: [String]
    /// The types that are read here.
    public let types: Set<String>
    /// Reads bytes, and looks whether the promises are kept.
    public let check: @Sendable ([UInt8]) throws(BrokenPromise) -> Verdict

    init(
        _ name: String, seeds: [String] = [], types: Set<String> = [],
        check: @escaping @Sendable ([UInt8]) throws(BrokenPromise) -> Verdict
    ) {
        self.name = name
        self.seeds = [name] + seeds
        self.types = types
        self.check = check
    }

    /// The name.
    public var description: String { name }

    /// All targets, in the order of their names.
    public static let all: [FuzzTarget] =
        (messages + partsOfMessages + texts + connections + certificates).sorted { $0.name < $1.name }
}

/// What became of some bytes.
public enum Verdict: Hashable, Sendable {
    /// They were read.
    case read
    /// They are not what was wanted, for this reason.
    case refused(String)
}

/// A promise that some bytes broke.
public struct BrokenPromise: Error, CustomStringConvertible {
    /// What happened, in words.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
