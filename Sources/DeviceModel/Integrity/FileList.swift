/// Many files in few bytes, in the order of their paths.
///
/// Of each: how many bytes its path shares with the one before it (2), how many of its own follow (2), those, how many
/// bytes its leaf has without the path (2), and those. Numbers have their most significant byte first.
package struct FileList {
    /// The files, in the order of their paths.
    package let entries: [FileEntry]

    /// - Parameter entries: The files, in the order of their paths.
    package init(_ entries: [FileEntry]) {
        self.entries = entries
    }

    /// The bytes of all.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(entries.count * 100)
        var last: [UInt8] = []
        for entry in entries {
            let path = entry.path.bytes
            let shared = zip(last, path).prefix { $0 == $1 }.count
            bytes.append(bigEndian: UInt16(shared))
            bytes.append(bigEndian: UInt16(path.count - shared))
            bytes.append(contentsOf: path[shared...])
            let leaf = entry.leaf
            bytes.append(bigEndian: UInt16(leaf.count))
            bytes.append(contentsOf: leaf)
            last = path
        }
        return bytes
    }

    /// - Parameter bytes: What ``bytes`` has given; nil for anything else.
    package init?(bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        var (offset, last) = (0, [UInt8]())
        var entries: [FileEntry] = []
        func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count <= bytes.count - offset else { return nil }
            defer { offset += count }
            return bytes[offset..<offset + count]
        }
        func number() -> Int? { take(2).map { Int($0[$0.startIndex]) << 8 | Int($0[$0.startIndex + 1]) } }
        while offset < bytes.count {
            guard let shared = number(), shared <= last.count, let own = number().flatMap(take),
                let leaf = number().flatMap(take), var entry = FileEntry(leaf: leaf)
            else { return nil }
            entry.path = FilePath(bytes: last[..<shared] + own)
            guard entries.last.map({ $0.path < entry.path }) ?? true else { return nil }
            entries.append(entry)
            last = entry.path.bytes
        }
        self.entries = entries
    }
}
