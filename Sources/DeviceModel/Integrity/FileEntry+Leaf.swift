extension FileEntry {
    /// The bytes of a leaf but for the path, which is at its end.
    ///
    /// Numbers have their most significant byte first: kind (1), whether something is mounted there (1), permissions (2),
    /// owner (4), group (4), size (8), what is known of the content (1), how many bytes of that follow (2), and these.
    package var leaf: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(64)
        bytes.append(kind.rawValue)
        bytes.append(isMounted ? 1 : 0)
        bytes.append(bigEndian: mode)
        bytes.append(bigEndian: owner)
        bytes.append(bigEndian: group)
        bytes.append(bigEndian: size)
        bytes.append(content.tag)
        let known = content.bytes
        bytes.append(bigEndian: UInt16(clamping: known.count))
        bytes.append(contentsOf: known)
        return bytes
    }

    /// - Parameter bytes: What ``leaf`` has given; nil for anything else. The path is empty.
    package init?(leaf bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        guard bytes.count >= 23, let kind = FileKind(rawValue: bytes[0]), bytes[1] <= 1 else { return nil }
        func number(_ start: Int, _ count: Int) -> UInt64 {
            bytes[start..<start + count].reduce(0) { $0 << 8 | UInt64($1) }
        }
        guard bytes.count == 23 + Int(number(21, 2)),
            let content = FileContent(tag: bytes[20], bytes: Array(bytes[23...]))
        else { return nil }
        self.init(
            path: FilePath(bytes: []), kind: kind, isMounted: bytes[1] == 1, mode: UInt16(number(2, 2)),
            owner: UInt32(number(4, 4)), group: UInt32(number(8, 4)), size: number(12, 8), content: content)
    }
}

extension FileContent {
    /// How a leaf says what is known of a content.
    fileprivate var tag: UInt8 {
        switch self {
        case .none: 0
        case .digest: 1
        case .target: 2
        case .tooLarge: 3
        case .unreadable: 4
        }
    }

    /// The bytes of it that a leaf holds.
    fileprivate var bytes: [UInt8] {
        switch self {
        case .digest(let digest): digest.bytes
        case .target(let target): target
        case .none, .tooLarge, .unreadable: []
        }
    }

    fileprivate init?(tag: UInt8, bytes: [UInt8]) {
        switch (tag, bytes.isEmpty) {
        case (0, true): self = .none
        case (1, false):
            guard let digest = SHA256Hash(bytes: bytes) else { return nil }
            self = .digest(digest)
        case (2, _): self = .target(bytes)
        case (3, true): self = .tooLarge
        case (4, true): self = .unreadable
        default: return nil
        }
    }
}

extension [UInt8] {
    /// Appends a number, its most significant byte first.
    package mutating func append(bigEndian number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }
}
