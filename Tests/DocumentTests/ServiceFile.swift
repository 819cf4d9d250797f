import Foundation
import TestSupport

/// A service file that is handed to systemd, as it stands in the repository (systemd.syntax(7)).
struct ServiceFile {
    /// Whose it is: `agent` or `keeper`.
    let program: String
    /// Its settings, such as `User=m2m`: without comments and headers.
    let settings: [String]
    /// All of it.
    let text: String

    init(_ program: String) throws {
        let lines = try Document("Packaging/systemd/m2m-\(program).service").lines
        self.program = program
        text = lines.joined(separator: "\n")
        settings = lines.filter { !$0.isEmpty && !$0.hasPrefix("#") && !$0.hasPrefix("[") }
    }

    /// The words of a setting; empty where it is not there.
    subscript(_ key: String) -> [String] {
        settings.filter { $0.hasPrefix("\(key)=") }.flatMap { $0.dropFirst(key.count + 1).split(separator: " ") }
            .map(String.init)
    }

    /// The folders that systemd makes for it, below a folder of the system's.
    func folders(_ key: String, below root: String) -> [String] { self[key].map { "\(root)/\($0)" } }

    // MARK: What systemd says

    private static let analyze = "/usr/bin/systemd-analyze"

    /// Whether systemd is here, and finds the mistake in a file that has one.
    static let canBeVerified: Bool = {
        guard FileManager.default.isExecutableFile(atPath: analyze) else { return false }
        let wrong = (name: "m2m-wrong.service", text: "[Service]\nExecStart=/bin/true\nNonsense=1\n")
        let words = try? complaints([wrong])
        return words?.contains { $0.contains("Nonsense") } == true
    }()

    /// How exposed systemd calls it, from 0 to 10 (systemd-analyze(1)); nil: it does not say.
    func exposure() throws -> Double? {
        let folder = try TemporaryDirectory()
        let path = try folder.write("m2m-\(program).service", text)
        let said = try Run(Self.analyze, ["security", "--offline=yes", "--no-pager", path]).said
        let words = said.split(separator: "\n").last { $0.contains("exposure level") }?.split(separator: " ") ?? []
        return words.compactMap { Double($0) }.first
    }

    /// What systemd has to say against service files.
    static func complaints(_ files: [(name: String, text: String)]) throws -> [String] {
        let folder = try TemporaryDirectory()
        let paths = try files.map { try folder.write($0.name, $0.text) }
        let said = try Run(analyze, ["verify", "--man=no"] + paths).said
        // Other units of this machine are none of ours.
        return said.split(separator: "\n").map(String.init)
            .filter { line in files.contains { line.contains($0.name) } }
    }
}
