public import DeviceModel
import Glibc

/// That a device is disabled, and why: a file in its state directory, so that starting it anew changes nothing.
public struct DisabledMark: Sendable {
    private let path: String

    /// - Parameter path: The file.
    public init(path: String) {
        self.path = path
    }

    /// Writes down that the device is disabled, also for the next start.
    ///
    /// - Parameter reason: Why, in words.
    /// - Throws: ``FileError`` where that can't be written.
    public func set(_ reason: String) throws(FileError) {
        try SafeFile.write("\(reason.prefix { !$0.isNewline })\n".utf8, to: path)
    }

    /// The device is not disabled any more.
    ///
    /// - Throws: ``FileError`` where the file can't be removed: after the next start the device would be disabled again.
    public func clear() throws(FileError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw FileError(path, errno) }
        SafeFile.syncFolder(of: path)
    }

    /// Why the device is disabled; nil: it is not.
    ///
    /// A file that is there and can't be read disables it, too, and so does a link that leads nowhere.
    public var reason: String? {
        do throws(FileError) {
            guard let bytes = try SafeFile.read(path) else {
                return SafeFile.exists(path) ? "\(path) leads nowhere" : nil
            }
            let text = String(decoding: bytes.prefix(256), as: UTF8.self).split(separator: "\n").first.map(String.init)
            return text ?? "\(path) does not say why"
        } catch {
            return "\(error)"
        }
    }
}
