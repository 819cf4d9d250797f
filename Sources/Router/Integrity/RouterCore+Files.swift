import DeviceModel
import Wire

/// How the router learns what is on a device.
extension RouterCore {
    /// How many files are fetched from a device at most.
    static let fileLimit = 200_000
    /// How many bytes they may have in all, with their paths and where links lead.
    private static let byteLimit = 64 * 1_024 * 1_024
    /// How often it is begun anew, because files changed meanwhile.
    private static let tries = 3

    /// All files of a device as they are, by its word, and the root over them, which is reckoned here.
    func files(
        of device: Int64, owner: RouterStore.Owner
    ) async throws -> (entries: [FileEntry], root: SHA256Hash) {
        let (entries, said) = try await fetchAll(from: device, of: owner, \.entries) { .entries(from: $0) }
        let inOrder = zip(entries, entries.dropFirst()).allSatisfy { $0.path < $1.path }
        let root = MerkleTree.root(of: entries, sha256: Digest.of)
        guard inOrder, root == said else {
            throw Failure(.conflict, "what the device says of its files is not what it says their root is; try again")
        }
        return (entries, root)
    }

    /// Asks a device for a list, part by part, until it has said all of it.
    ///
    /// - Parameters:
    ///   - device: The device's row.
    ///   - owner: Whose it is.
    ///   - part: Where an answer has its part of the list.
    ///   - want: What is asked, from a number on.
    /// - Returns: The list, and the root over the files to which it belongs.
    /// - Throws: ``Failure`` where the device is not there, or its files change all the time.
    func fetchAll<Element: Weighed & Sendable>(
        from device: Int64, of owner: RouterStore.Owner, _ part: (IntegrityAnswer) -> [Element],
        _ want: (Int) -> IntegrityAsk.Want
    ) async throws -> (all: [Element], root: SHA256Hash) {
        for _ in 0..<Self.tries {
            var all: [Element] = []
            var bytes = 0
            var root: SHA256Hash?
            while true {
                let answer = await switchboard.inquire(want(all.count), device: device, owner: owner)
                if let failure = Failure(question: answer.outcome) { throw failure }
                guard answer.status?.state != .off else {
                    let words = "its files are not watched; [integrity] in its agent.toml begins that, and so does "
                    throw Failure(.conflict, words + "`m2m integrity DEVICE enable`")
                }
                guard let total = answer.total, let found = answer.status?.found else {
                    throw Failure(.conflict, "the device does not know its files yet; try again in a moment")
                }
                guard root.map({ $0 == found }) ?? true else { break }  // they have changed: from the beginning
                guard total <= Self.fileLimit else {
                    throw Failure(.tooLarge, "the device names \(total) files; at most \(Self.fileLimit) are looked at")
                }
                bytes += part(answer).reduce(0) { $0 + $1.weight }
                guard bytes <= Self.byteLimit else {
                    throw Failure(.tooLarge, "the device names more than \(Self.byteLimit) bytes of files")
                }
                root = found
                all += part(answer)
                if all.count >= total { return (all, found) }
                guard !part(answer).isEmpty else { break }
            }
        }
        throw Failure(.busy, "the files change faster than they can be looked at; try again later")
    }
}

/// What takes memory.
protocol Weighed {
    /// How many bytes it takes, roughly.
    var weight: Int { get }
}

extension FileEntry: Weighed {
    var weight: Int {
        guard case .target(let target) = content else { return 200 + path.bytes.count }
        return 200 + path.bytes.count + target.count
    }
}

extension FileChange: Weighed {
    var weight: Int { (before?.weight ?? 0) + (now?.weight ?? 0) + 200 }
}
