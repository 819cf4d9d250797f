import DeviceModel
import Foundation
import GRDB
import HALTestKit
import TestSupport
import Testing

@testable import Router

/// Promise: whoever checks the audit log, or reads it at the router's own machine, changes nothing, and is told of
/// whatever was damaged.
@Suite(.timeLimit(.minutes(1))) struct AuditCheckTests {
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
    }

    private func names() throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: folder.path))
    }

    @Test("Where there is no log none is made, and the folder is named")
    func nothing() throws {
        for read in [
            { _ = try AuditCheck.lines(limit: 10, dataDirectory: folder.path) },
            { _ = try AuditCheck.run(dataDirectory: folder.path) },
        ] as [() throws -> Void] {
            let error = #expect(throws: RouterProblem.self) { try read() }
            #expect(error?.code == .notFound)
            #expect(error?.description.contains(folder.path) == true)
        }
        #expect(try names() == [])
    }

    @Test("The newest lines are read, and the torn one at the end is left as it is")
    func lines() async throws {
        let log = try AuditLog(folder: folder.path) { _ in }
        try await log.append(AuditSample.entries(1...3))
        let path = folder.file("audit.log")
        let torn = try #require(try SafeFile.read(path)) + Array(#"{"seq":4,"ti"#.utf8)
        try Data(torn).write(to: URL(filePath: path))
        let before = try names()
        let lines = try AuditCheck.lines(limit: 2, dataDirectory: folder.path)
        #expect(lines.map { $0.hasPrefix("{\"seq\":2,") || $0.hasPrefix("{\"seq\":3,") } == [true, true])
        #expect(try SafeFile.read(path) == torn)
        #expect(try names() == before)
    }

    @Test(
        "What devices were told, damaged in the database, is a finding",
        arguments: ["auditEntry = -1", "auditEntry = 'x'", "auditHash = NULL", "auditHash = x'00'", "auditTold = 'x'"])
    func anchors(_ damage: String) async throws {
        let time = ManualTime()
        let log = try AuditLog(folder: folder.path) { _ in }
        let head = try await log.append(AuditSample.entries(1...3))
        do {
            let store = try RouterStore(path: folder.file("router.db"), time: time)
            let device = try await store.addDevice("shed", of: try await store.addOwner("ada"), key: Sample.key(1))
            try await store.noteAuditHead(device, head)
            #expect(try AuditCheck.run(dataDirectory: folder.path).findings == [])
            try await store.database.write { try $0.execute(sql: "UPDATE devices SET \(damage)") }
        }
        let findings = try AuditCheck.run(dataDirectory: folder.path).findings
        #expect(damage.hasPrefix("auditTold") || findings.joined().contains("ada/shed"), "\(findings)")
    }
}
