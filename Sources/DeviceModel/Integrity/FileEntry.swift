/// What a file is: that of which a baseline is made.
///
/// Not its times, which every honest copy changes, and not its number on the disk.
public struct FileEntry: Hashable, Sendable {
    /// Where it is.
    public var path: FilePath
    /// What it is.
    public var kind: FileKind
    /// Whether something is mounted there.
    public var isMounted: Bool
    /// Its permissions, with set-user-id, set-group-id and the sticky bit: the lowest 12 bits of `st_mode`.
    public var mode: UInt16
    /// The user to whom it belongs.
    public var owner: UInt32
    /// The group to which it belongs.
    public var group: UInt32
    /// How many bytes a regular file has; 0 for everything else, where that means nothing or differs by the disk.
    public var size: UInt64
    /// What is in it.
    public var content: FileContent

    /// A file with all that a baseline knows of it.
    public init(
        path: FilePath, kind: FileKind, isMounted: Bool = false, mode: UInt16, owner: UInt32, group: UInt32,
        size: UInt64 = 0, content: FileContent = .none
    ) {
        self.path = path
        self.kind = kind
        self.isMounted = isMounted
        self.mode = mode
        self.owner = owner
        self.group = group
        self.size = size
        self.content = content
    }

    /// Whether both are the same file with other things in it, as far as a baseline can tell.
    func hasSameContent(as other: FileEntry) -> Bool {
        kind == other.kind && size == other.size && content == other.content
    }
}

/// What a file can be (inode(7)).
///
/// The raw values are those of a leaf of the baseline's tree.
public enum FileKind: UInt8, Sendable, CaseIterable {
    case regular = 1
    case folder
    case link
    case pipe
    case socket
    case characterDevice
    case blockDevice

    /// What people call it, which is also its name on the wire.
    public var word: String {
        switch self {
        case .regular: "file"
        case .folder: "folder"
        case .link: "link"
        case .pipe: "pipe"
        case .socket: "socket"
        case .characterDevice: "character device"
        case .blockDevice: "block device"
        }
    }
}

/// What is in a file, as far as a baseline knows it.
public enum FileContent: Hashable, Sendable {
    /// Nothing that could be compared: it is a pipe, a socket, a device, or a folder that could be listed.
    case none
    /// SHA-256 of what is in a regular file.
    case digest(SHA256Hash)
    /// Where a link leads.
    case target([UInt8])
    /// It is bigger than what is read: only its size is compared.
    case tooLarge
    /// It could not be read or listed.
    case unreadable
}

/// A SHA-256 (FIPS 180-4): 32 bytes that need no memory of their own.
public struct SHA256Hash: Hashable, Sendable, CustomStringConvertible {
    /// How many bytes it has.
    public static let size = 32

    private let words: InlineWords

    private struct InlineWords: Hashable, Sendable {
        var (a, b, c, d): (UInt64, UInt64, UInt64, UInt64)
    }

    /// - Parameter bytes: The 32 bytes; nil for any other number of them.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.size else { return nil }
        var words: [UInt64] = [0, 0, 0, 0]
        for (index, byte) in bytes.enumerated() { words[index / 8] = words[index / 8] << 8 | UInt64(byte) }
        self.words = InlineWords(a: words[0], b: words[1], c: words[2], d: words[3])
    }

    /// - Parameter fill: Writes the 32 bytes.
    public init(filledBy fill: (UnsafeMutablePointer<UInt8>) -> Void) {
        words = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.size) { buffer in
            buffer.initialize(repeating: 0)
            if let start = buffer.baseAddress { fill(start) }
            let raw = UnsafeRawBufferPointer(buffer)
            func word(_ index: Int) -> UInt64 {
                UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
            }
            return InlineWords(a: word(0), b: word(1), c: word(2), d: word(3))
        }
    }

    /// The 32 bytes.
    public var bytes: [UInt8] {
        [words.a, words.b, words.c, words.d].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) }
        }
    }

    /// 64 hexadecimal digits.
    public var description: String { bytes.hexadecimal }
}
