import DeviceModel
import Glibc

/// A file system that never answers: whoever touches it waits for ever.
public final class SilentMount {
    private let device: Int32
    private let path: String

    /// Whether this process may do that.
    public static var isPossible: Bool { getuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0 }

    /// - Parameter path: The folder over which it is mounted.
    /// - Throws: ``HarnessError`` where that can't be done.
    public init(over path: String) throws {
        self.path = path
        device = open("/dev/fuse", O_RDWR | O_CLOEXEC)
        let options = "fd=\(device),rootmode=40000,user_id=0,group_id=0"
        guard device >= 0, mount("silent", path, "fuse", 0, options) == 0 else {
            throw HarnessError(description: "nothing can be mounted: \(errorText(errno))")
        }
    }

    /// What was there before is there again, and whoever waits gets an error.
    deinit {
        umount2(path, Int32(MNT_DETACH))
        close(device)
    }
}
