/// The root over many entries, in their order: a binary hash tree as in RFC 9162, section 2.1.1.
///
/// It is fed one entry after the other, and remembers no more than a hash for each level. A leaf is SHA-256 of a zero
/// byte and the entry's bytes, a node SHA-256 of a one byte and both children.
public struct MerkleTree {
    private let sha256: ([UInt8]) -> SHA256Hash
    /// The roots of whole subtrees, the biggest first, with the logarithm of their sizes.
    private var peaks: [(height: Int, root: SHA256Hash)] = []
    private var buffer: [UInt8] = []
    /// How many entries there are.
    public private(set) var count = 0

    /// - Parameter sha256: SHA-256 of bytes.
    public init(sha256: @escaping ([UInt8]) -> SHA256Hash) {
        self.sha256 = sha256
    }

    /// The root over entries that are in their order.
    ///
    /// - Parameters:
    ///   - entries: The entries.
    ///   - sha256: SHA-256 of bytes.
    /// - Returns: The root.
    public static func root(
        of entries: some Sequence<FileEntry>, sha256: @escaping ([UInt8]) -> SHA256Hash
    ) -> SHA256Hash {
        var tree = MerkleTree(sha256: sha256)
        for entry in entries { tree.add(entry) }
        return tree.root
    }

    /// Adds the next entry.
    public mutating func add(_ entry: FileEntry) {
        buffer.removeAll(keepingCapacity: true)
        buffer.append(0)
        buffer.append(contentsOf: entry.leaf)
        buffer.append(contentsOf: entry.path.bytes)
        var (height, root) = (0, sha256(buffer))
        while let last = peaks.last, last.height == height {
            peaks.removeLast()
            (height, root) = (height + 1, node(last.root, root))
        }
        peaks.append((height, root))
        count += 1
    }

    /// The root over all that was added; over nothing it is SHA-256 of nothing.
    public var root: SHA256Hash {
        guard var root = peaks.last?.root else { return sha256([]) }
        for peak in peaks.dropLast().reversed() { root = node(peak.root, root) }
        return root
    }

    private func node(_ left: SHA256Hash, _ right: SHA256Hash) -> SHA256Hash {
        sha256([1] + left.bytes + right.bytes)
    }
}
