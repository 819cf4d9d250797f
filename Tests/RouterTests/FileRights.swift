import Glibc
import TestSupport

/// The rights of a file or folder, such as 0o600.
func rights(_ path: String) throws -> mode_t {
    var info = stat()
    guard stat(path, &info) == 0 else { throw HarnessError(description: "there is no \(path)") }
    return info.st_mode & 0o7777
}
