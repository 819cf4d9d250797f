import CFiles
import DeviceModel

/// By what a file is known to be the one that was read, without reading it again: whoever writes to it changes one of
/// these, unless the machine's clock or its disk are written to directly.
struct FileStamp: Hashable {
    private let (device, number, size): (UInt64, UInt64, UInt64)
    private let (modified, changed): (Int64, Int64)
    private let (mode, owner, group): (UInt32, UInt32, UInt32)
    private let isMounted: Bool

    init(_ status: cfiles_status) {
        (device, number, size) = (status.device, status.number, status.size)
        (modified, changed) = (status.modified_ns, status.changed_ns)
        // A mount of the same file over itself changes none of its times.
        (mode, owner, group, isMounted) = (status.mode, status.owner, status.group, status.is_mounted)
    }

    /// Whether both are one file, whatever is in it.
    func isSameFile(as other: FileStamp) -> Bool { device == other.device && number == other.number }
}

extension cfiles_status {
    /// What a name stands for.
    ///
    /// - Parameter path: The name; a link is a link.
    /// - Returns: What the kernel says, or its error number.
    static func of(_ path: FilePath) -> Result<cfiles_status, SystemProblem> {
        var status = cfiles_status()
        let result = path.withCString { cfiles_status(cfiles_here, $0, &status) }
        return result == 0 ? .success(status) : .failure(SystemProblem(-result))
    }

    /// A folder of which nothing is known but that something is mounted there which may never answer.
    static var mountedFolder: cfiles_status {
        var status = cfiles_status()
        (status.mode, status.is_mounted) = (0o040_000, true)
        return status
    }

    /// What it is; nil for something that no Linux of today has.
    var kind: FileKind? {
        switch mode & 0o170_000 {
        case 0o100_000: .regular
        case 0o040_000: .folder
        case 0o120_000: .link
        case 0o010_000: .pipe
        case 0o140_000: .socket
        case 0o020_000: .characterDevice
        case 0o060_000: .blockDevice
        default: nil
        }
    }
}

/// What the system said where something could not be done.
struct SystemProblem: Error, Hashable {
    let errno: Int32

    init(_ errno: Int32) {
        self.errno = errno
    }
}
