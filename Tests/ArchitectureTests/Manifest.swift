import Foundation
import TestSupport

/// Package.swift, as SwiftPM understands it.
struct Manifest: Decodable {
    let targets: [Target]

    struct Target: Decodable {
        let name: String
        let type: String
        let path: String?
        let exclude: [String]
        let dependencies: [Dependency]

        /// Its folder in the repository.
        var folder: String { path ?? (type == "test" ? "Tests/\(name)" : "Sources/\(name)") }
        /// What its files may import by its own word.
        var imports: Set<String> { Set(dependencies.map(\.module)) }
        /// Whether it is there to test others.
        var isTest: Bool { type == "test" || ["TestSupport", "CSimulatedDisk", "FuzzTargets"].contains(name) }
    }

    /// `{ "byName": ["DeviceModel", null] }` or `{ "product": ["NIOCore", "swift-nio", null, null] }`.
    struct Dependency: Decodable {
        /// The module; products that are used here are named after theirs.
        let module: String

        init(from decoder: any Decoder) throws {
            let kinds = try decoder.singleValueContainer().decode([String: [Name?]].self)
            guard let module = kinds.values.first?.first??.text else {
                throw HarnessError(description: "a dependency without a name: \(kinds)")
            }
            // Executables are modules with a name that Swift can write.
            self.module = String(module.map { $0 == "-" ? "_" : $0 })
        }

        /// A text; whatever else stands there is of no interest.
        private struct Name: Decodable {
            let text: String?

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                text = try? container.decode(String.self)
            }
        }
    }

    /// Reads Package.swift with a scratch folder of its own, so that a build that is going on is not waited for.
    static func load() throws -> Manifest {
        let scratch = try TemporaryDirectory()
        let output = scratch.file("manifest.json")
        guard FileManager.default.createFile(atPath: output, contents: nil),
            let file = FileHandle(forWritingAtPath: output)
        else { throw HarnessError(description: "\(output) cannot be written") }
        let swift = Process()
        swift.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        swift.arguments = [
            ProcessInfo.processInfo.environment["SWIFT"] ?? "swift", "package", "--package-path", Repository.path(""),
            "--scratch-path", scratch.file("build"), "dump-package",
        ]
        swift.standardOutput = file
        try swift.run()
        swift.waitUntilExit()
        guard swift.terminationStatus == 0 else { throw HarnessError(description: "swift package dump-package failed") }
        return try JSONDecoder().decode(Manifest.self, from: Data(contentsOf: URL(fileURLWithPath: output)))
    }
}
