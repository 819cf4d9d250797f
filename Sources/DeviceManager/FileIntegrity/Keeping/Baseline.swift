import DeviceModel

/// What the watched files are meant to be.
struct Baseline {
    /// The files, in the order of their paths.
    private(set) var entries: [FileEntry]
    /// The root over all of them.
    private(set) var root: SHA256Hash
    /// How often something was approved until it was like this; 0: nobody has approved it.
    var counter: UInt64
    /// Whether the router has to say something about it before it counts: it was made where one had been before.
    var isUnconfirmed: Bool

    /// - Parameters:
    ///   - entries: The files, in the order of their paths.
    ///   - counter: How often something was approved.
    ///   - isUnconfirmed: Whether the router has to say something about it.
    init(_ entries: [FileEntry], counter: UInt64 = 0, isUnconfirmed: Bool = false) {
        self.entries = entries
        root = MerkleTree.root(of: entries, sha256: sha256)
        self.counter = counter
        self.isUnconfirmed = isUnconfirmed
    }

    /// Where a file stands among the entries; nil: it is none of them.
    func index(of path: FilePath) -> Int? {
        let index = firstIndex(from: path)
        return index < entries.count && entries[index].path == path ? index : nil
    }

    /// Where everything at a path and below it stands among the entries.
    func range(within path: FilePath) -> Range<Int> {
        let start = firstIndex(from: path)
        let end = entries[start...].firstIndex { !$0.path.isWithin(path) } ?? entries.count
        return start..<end
    }

    private func firstIndex(from path: FilePath) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].path < path { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
