import Glibc

/// What the kernel says of a file (stat(2)).
public struct FileStatus: Hashable, Sendable {
    /// Whether it is a file, and no folder, pipe or device.
    public let isRegular: Bool
    /// How many bytes it has.
    public let size: Int
    /// Which file it is, whatever its name.
    public let identity: Identity

    /// Which file it is: its disk, and its number there.
    public struct Identity: Hashable, Sendable {
        fileprivate let (device, number): (UInt64, UInt64)
    }

    /// - Parameter descriptor: An open file; nil, with `errno`, where that is none.
    public init?(of descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    /// - Parameter path: The name of a file; nil, with `errno`, where there is none.
    public init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    private init(_ status: stat) {
        isRegular = status.st_mode & S_IFMT == S_IFREG
        size = Int(status.st_size)
        identity = Identity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
    }
}
