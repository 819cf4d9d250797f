import DeviceModel
import Glibc
import TestSupport
import Testing

@testable import Client

/// A session is kept in a file that only its owner can read, and a file that holds none says so.
///
/// Where it is kept is up to the environment, which belongs to the whole process: hence processes of their own.
@Suite(.timeLimit(.minutes(1))) struct StoredSessionTests {
    private static let session = StoredSession(
        url: "wss://router.example:443", user: "anna", token: "secret", expires: WallTime(nanoseconds: 7),
        ca: "-----BEGIN CERTIFICATE-----\n")

    private static func mode(_ path: String) -> mode_t? {
        var entry = stat()
        return stat(path, &entry) == 0 ? entry.st_mode & 0o7777 : nil
    }

    /// Keeps the session in a folder of the process's own.
    private static func folder(_ name: String = "session.json") throws -> TemporaryDirectory {
        let folder = try TemporaryDirectory()
        setenv("M2M_SESSION", folder.file(name), 1)
        return folder
    }

    @Test("What is kept comes back, in a file for its owner alone, and is gone once it is forgotten") func keeps() async
    {
        await #expect(processExitsWith: .success) {
            let folder = try Self.folder("deep/in/a/folder/session.json")
            umask(0)
            try Self.session.save()
            #expect(Self.mode(folder.file("deep/in/a/folder/session.json")) == 0o600)
            #expect(Self.mode(folder.file("deep/in/a/folder")) == 0o700)
            let loaded = try #require(try StoredSession.load())
            #expect(loaded.url == Self.session.url)
            #expect(loaded.user == "anna")
            #expect(loaded.token == "secret")
            #expect(loaded.ca == Self.session.ca)
            StoredSession.remove()
            #expect(try StoredSession.load() == nil)
            StoredSession.remove()
        }
    }

    @Test("A session that is kept over another one takes its place, and its rights are those of a new file")
    func replaces() async {
        await #expect(processExitsWith: .success) {
            let folder = try Self.folder()
            try folder.write("session.json", "{}")
            chmod(folder.file("session.json"), 0o666)
            try Self.session.save()
            #expect(Self.mode(folder.file("session.json")) == 0o600)
            var other = Self.session
            other.ca = nil
            other.user = "berta"
            try other.save()
            #expect(try StoredSession.load()?.user == "berta")
            #expect(try StoredSession.load()?.ca == nil)
        }
    }

    @Test("Nobody is logged in where nothing is kept") func missing() async {
        await #expect(processExitsWith: .success) {
            let folder = try Self.folder()
            #expect(try StoredSession.load() == nil)
            #expect(Self.mode(folder.file("session.json")) == nil)
        }
    }

    @Test("A damaged file is an error that names it and says what to do") func damaged() async {
        await #expect(processExitsWith: .success) {
            let folder = try Self.folder()
            for text in ["", "nothing", "{}", "[1]", "{\"url\": \"wss://router.example\"}", "{\"url\": 7}", "\u{0}"] {
                let path = try folder.write("session.json", text)
                let error = #expect(throws: ClientError.self) { try StoredSession.load() }
                #expect(error?.description.contains("\(path) is no session") == true)
                #expect(error?.description.contains("m2m login") == true)
                #expect(error?.code.exitStatus == .failed)
            }
        }
    }

    @Test("A file that can't be written is an error that names it") func unwritable() async {
        await #expect(processExitsWith: .success) {
            let folder = try Self.folder("file/session.json")
            try folder.write("file", "")
            let error = #expect(throws: FileError.self) { try Self.session.save() }
            #expect(error?.description.contains(folder.file("file")) == true)
        }
    }

    @Test("M2M_SESSION names the file; else it is in the configuration folder, else in the home") func places() async {
        await #expect(processExitsWith: .success) {
            setenv("HOME", "/home/anna", 1)
            setenv("XDG_CONFIG_HOME", "/somewhere", 1)
            setenv("M2M_SESSION", "/a/file", 1)
            #expect(StoredSession.path == "/a/file")
            setenv("M2M_SESSION", "", 1)
            #expect(StoredSession.path == "/somewhere/m2m/session.json")
            unsetenv("M2M_SESSION")
            unsetenv("XDG_CONFIG_HOME")
            #expect(StoredSession.path == "/home/anna/.config/m2m/session.json")
        }
    }

    @Test("A session with no router's address in it is told from a router that is gone") func noAddress() async {
        var session = Self.session
        session.url = "http://router.example"
        do {
            let connection = try await RouterLogin.resume(session) { "" }
            await connection.close()
            Issue.record("a session without an address was resumed")
        } catch {
            #expect((error as? ClientError)?.code == .badRequest)
            #expect(error.explanation.contains("m2m login"))
        }
    }
}
