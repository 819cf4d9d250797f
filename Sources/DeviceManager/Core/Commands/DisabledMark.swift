import DeviceModel

/// That a device is disabled, and why: a file in its state directory, so that starting it anew changes nothing.
public struct DisabledMark: Sendable {
    private let path: String

    /// - Parameter path: The file.
    public init(path: String) {
        self.path = path
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
