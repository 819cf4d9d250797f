public import DeviceModel
import Foundation
import Glibc

/// A session with a router, as it is kept between two calls of `m2m`: in a file that only this user can read.
public struct StoredSession: Codable, Sendable {
    /// The router's address.
    public var url: String
    /// The account.
    public var user: String
    /// What brings the session back.
    public var token: String
    /// When it ends at the latest, in nanoseconds since 1970.
    private var expires: Int64
    /// The certificates (PEM) that are trusted; nil: the system's.
    public var ca: String?

    /// A session.
    public init(url: String, user: String, token: String, expires: WallTime, ca: String?) {
        self.url = url
        self.user = user
        self.token = token
        self.expires = expires.nanoseconds
        self.ca = ca
    }

    /// Where it is kept: `M2M_SESSION`, else `m2m/session.json` in the user's configuration folder.
    public static var path: String {
        if let path = variable("M2M_SESSION") { return path }
        let folder = variable("XDG_CONFIG_HOME") ?? (variable("HOME") ?? ".") + "/.config"
        return "\(folder)/m2m/session.json"
    }

    /// The session that is kept.
    ///
    /// - Returns: nil when there is none.
    /// - Throws: ``ClientError`` when the file can't be read.
    public static func load() throws -> StoredSession? {
        guard let bytes = try SafeFile.read(path) else { return nil }
        do {
            return try JSONDecoder().decode(StoredSession.self, from: Data(bytes))
        } catch {
            throw ClientError(.badRequest, path, "\(path) is no session: remove it, and log in again with `m2m login`")
        }
    }

    /// Keeps the session.
    ///
    /// - Throws: ``FileError`` when the file can't be written.
    public func save() throws {
        let path = Self.path
        try SafeFile.makeFolder(of: path)
        try SafeFile.write(try JSONEncoder().encode(self), to: path)
    }

    /// Forgets the session.
    public static func remove() {
        unlink(path)
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
