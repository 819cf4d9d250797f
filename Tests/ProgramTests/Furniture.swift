import Foundation
import TestSupport
import Testing

/// The files of a router with an account, and of a person who is logged in there: made once for many households, because
/// passwords and codes are hashed slowly on purpose.
actor Furniture {
    static let shared = Furniture()

    private var made: (files: Task<[String: Data], any Error>, at: ContinuousClock.Instant)?

    /// The files, by their names in a household.
    ///
    /// - Throws: What went wrong when they were made.
    func files() async throws -> [String: Data] {
        // Five minutes after its login a session wants the security code for what is dangerous, and a test takes three at
        // most.
        if let made, ContinuousClock.now - made.at < .seconds(120) { return try await made.files.value }
        let files = Task { try await Self.make() }
        made = (files, .now)
        return try await files.value
    }

    private static func make() async throws -> [String: Data] {
        var files: [String: Data] = [:]
        try await Household.open { house in
            try await house.addUser()
            let router = try await house.startRouter()
            try house.done(await house.login())
            router.signal(SIGKILL)
            try await router.end()
            for name in try FileManager.default.subpathsOfDirectory(atPath: house.folder.path) {
                var isFolder: ObjCBool = false
                let path = house.folder.file(name)
                guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else {
                    continue
                }
                files[name] = try Data(contentsOf: URL(filePath: path))
            }
        }
        return files
    }
}

extension Household {
    /// Starts a router with an account, and is logged in.
    ///
    /// - Parameters:
    ///   - arguments: What it is started with beside its folder and its address.
    ///   - variables: What the router's environment has beside that of all programs.
    /// - Throws: ``HarnessError`` when it does not come to that.
    /// - Returns: The router.
    @discardableResult
    func moveIn(_ arguments: [String] = [], variables: [String: String] = [:]) async throws -> Program {
        for (name, data) in try await Furniture.shared.files() {
            let file = URL(filePath: folder.file(name))
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            try data.write(to: file)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path())
        }
        let router = try await startRouter(arguments, variables: variables)
        // The session is with this router now, which listens elsewhere.
        let kept = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: session)))
        var fields = try #require(kept as? [String: Any])
        fields["url"] = url
        try JSONSerialization.data(withJSONObject: fields).write(to: URL(filePath: session))
        return router
    }
}
