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

    /// Whether the same is in both, as far as a baseline can tell.
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
