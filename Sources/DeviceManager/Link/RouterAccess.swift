public import DeviceManager
import DeviceModel
import Glibc
public import Transport

/// What the device knows of its router, and the router of it: files in the state directory, looked at afresh for each
/// try, so that an enrolment needs no restart.
public struct RouterAccess: Sendable {
    /// Where the router is, and which certificates the configuration trusts.
    public let router: AgentConfiguration.Router
    private let folder: String

    /// The path on which devices connect.
    public static let path = "/api/devices/v1/link"

    /// What a device knows.
    ///
    /// - Parameters:
    ///   - router: Where the router is.
    ///   - stateDirectory: Where the device's key is, and the CA that enrolment pinned.
    public init(_ router: AgentConfiguration.Router, stateDirectory: String) {
        self.router = router
        folder = stateDirectory
    }

    /// The file with the device's key.
    public var keyFile: String { "\(folder)/device.key" }
    /// The file with the key that the device is to have, while it is being changed.
    var newKeyFile: String { "\(folder)/device.key.next" }
    /// The file with what the device remembers from one connection to the next.
    var recordFile: String { "\(folder)/link-record" }
    private var pinnedFile: String { "\(folder)/router-ca.pem" }

    /// Which certificates are trusted: those of the configuration, else those that enrolment pinned, else the system's.
    public var trust: TLSTrust {
        if let file = router.caFile { return .file(file) }
        // One that is there and can't be read is no reason to trust others: then nobody is trusted.
        let isThere = faccessat(AT_FDCWD, pinnedFile, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT
        return isThere ? .file(pinnedFile) : .system
    }

    /// Trusts the router's CA from now on.
    ///
    /// - Parameter pem: The CA's certificate.
    /// - Throws: ``FileError`` when it can't be written.
    func pin(_ pem: String) throws(FileError) {
        try SafeFile.write(pem.utf8, to: pinnedFile)
    }

    /// Uses the new key from now on.
    ///
    /// - Throws: ``FileError`` when its file can't take the place of the old one.
    func useNewKey() throws(FileError) {
        try SafeFile.move(newKeyFile, to: keyFile)
    }

    /// Forgets what was between the device and a router before.
    func forgetRecord() {
        unlink(recordFile)
    }

    /// Forgets the router's CA: the system's trust store is enough.
    func unpin() {
        unlink(pinnedFile)
    }
}
