import DeviceModel
import Glibc
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: what was appended is in the file, in one chain, whichever process wrote it; what is not as it should be is
/// said, and stays visible, and keeps nobody from writing on.
@Suite(.timeLimit(.minutes(1))) struct AuditLogTests {
    private let folder: TemporaryDirectory
    private let reports = AuditReports()
    private var path: String { folder.file("audit.log") }

    init() throws {
        folder = try TemporaryDirectory()
    }

    private func open() throws -> AuditLog {
        try AuditLog(folder: folder.path, report: reports.add)
    }

    private func bytes() throws -> [UInt8] { try SafeFile.read(path) ?? [] }

    private func verify(_ anchors: [AuditAnchor] = []) throws -> [String] {
        try AuditVerifier.verify(AuditFiles(folder: folder.path, isReadOnly: true), anchors: anchors)
            .findings.map(\.description)
    }

    private func numbers(_ log: AuditLog, of account: Int64? = nil, limit: Int = 100) async throws -> [UInt64] {
        try await log.entries(of: account, since: nil, limit: limit).map(\.sequence)
    }

    @Test("Entries are in the file when they are appended, and are found again by the next run")
    func restart() async throws {
        let head = try await open().append(AuditSample.entries(1...3))
        #expect(try bytes() == AuditSample.bytes(AuditSample.log(AuditSample.entries(1...3)).lines))
        let log = try open()
        #expect(await log.head == head)
        try await log.append([AuditSample.entry(4)])
        #expect(try await log.entries(of: nil, since: nil, limit: 10).map(\.entry) == AuditSample.entries(1...4))
        #expect(try verify() == [])
        #expect(reports.new == [])
    }

    @Test("Both files are the router's alone")
    func ownerOnly() async throws {
        try await open().append([AuditSample.entry(1)])
        for name in ["audit.log", "audit.head"] { #expect(try rights(folder.file(name)) == 0o600) }
    }

    @Test("An empty log is sound, and so is what an empty list adds to it")
    func empty() async throws {
        let log = try open()
        #expect(try await log.append([]) == .start)
        #expect(try await log.knows(.start))
        #expect(try await numbers(log) == [])
        #expect(try verify() == [])
    }

    @Test("Two processes that write in turn make one chain, and each sees what the other wrote")
    func twoProcesses() async throws {
        let (router, tool) = (try open(), try open())
        for second in 1...20 {
            let head = try await (second % 3 == 0 ? tool : router).append([AuditSample.entry(second)])
            #expect(head.entry == UInt64(second))
        }
        #expect(try await numbers(router) == Array(1...20))
        #expect(try await numbers(tool) == Array(1...20))
        #expect(await router.head == tool.head)
        #expect(try verify() == [])
        #expect(reports.new == [])
    }

    @Test("Two processes that write at the same time make one chain")
    func atOnce() async throws {
        let logs = [try open(), try open()]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for second in 1...200 {
                group.addTask { try await logs[second % 2].append([AuditSample.entry(second)]) }
            }
            try await group.waitForAll()
        }
        let entries = try await logs[0].entries(of: nil, since: nil, limit: 300)
        #expect(entries.map(\.sequence) == Array(1...200))
        #expect(Set(entries.map(\.entry)) == Set(AuditSample.entries(1...200)))
        #expect(try verify() == [])
    }

    @Test("Another process that does not let go of the log is an error, and not waited for without end")
    func busy() throws {
        let other = try AuditFiles(folder: folder.path)
        #expect(try !other.lock())
        let disk = try AuditFiles(folder: folder.path, patience: .zero)
        #expect {
            try AuditLog(disk, report: reports.add)
        } throws: {
            ($0 as? RouterProblem)?.code == .busy
        }
        other.unlock()
        _ = try AuditLog(disk, report: reports.add)
    }

    // MARK: What is not as it should be

    @Test("An entry that was not wholly written is removed, which is said, and the chain goes on")
    func torn() async throws {
        try await open().append(AuditSample.entries(1...2))
        let line = AuditSample.log(AuditSample.entries(1...3)).lines[2]
        for size in [1, 100, line.count - 1] {
            try append(Array(line.prefix(size)))
            _ = try open()
            #expect(
                reports.new == [
                    "\(path): the last entry was not wholly written, as at a power cut, and is removed: \(size) bytes"
                ])
            #expect(try verify() == [])
        }
        try await open().append([AuditSample.entry(3)])
        #expect(try bytes() == AuditSample.bytes(AuditSample.log(AuditSample.entries(1...3)).lines))
    }

    @Test("What another process left half written is removed before the next entry")
    func tornByOther() async throws {
        let log = try open()
        try await log.append([AuditSample.entry(1)])
        try append(Array("{\"seq\":2".utf8))
        try await log.append([AuditSample.entry(2)])
        #expect(reports.new.count == 1)
        #expect(try verify() == [])
    }

    @Test("A changed line is said at the start, stays visible, and what is written behind it is right")
    func changed() async throws {
        try await open().append(AuditSample.entries(1...3))
        var damaged = try bytes()
        damaged[30] ^= 1
        try write(damaged)
        try await open().append([AuditSample.entry(4)])
        #expect(reports.new == ["\(path): line 1 was changed: its hash is not what it should be"])
        #expect(try verify() == ["line 1 was changed: its hash is not what it should be"])
    }

    @Test("A log whose end was cut off shows that for good, also behind new entries", arguments: 0...3)
    func cut(kept: Int) async throws {
        try await open().append(AuditSample.entries(1...4))
        let lines = AuditSample.log(AuditSample.entries(1...4)).lines
        try write(AuditSample.bytes(lines.prefix(kept)))
        let log = try open()
        #expect(reports.new.count == 1)
        try await log.append([AuditSample.entry(5)])
        try await log.append([AuditSample.entry(6)])
        #expect(try verify().count == 1)
        #expect(try verify().first?.hasPrefix("line \(kept + 1) is out of sequence: it is entry 5, where") == true)
        _ = try open()
        #expect(reports.new.count == 1)
    }

    @Test("A log whose end was rewritten with all hashes shows that for good, too")
    func rewritten() async throws {
        let head = try await open().append(AuditSample.entries(1...4))
        let rewritten = AuditSample.log(AuditSample.entries([1, 2, 30, 40]))
        try write(AuditSample.bytes(rewritten.lines))
        let log = try open()
        #expect(reports.new == ["\(path): entry 4 is not the one that audit.head names: the log was rewritten"])
        #expect(try await !log.knows(head))
        try await log.append([AuditSample.entry(5)])
        #expect(try verify() == ["\(AuditFinding.changed(5))"])
    }

    @Test("That audit.head is gone or damaged is said, and it is made anew")
    func noHead() async throws {
        try await open().append(AuditSample.entries(1...2))
        for text in [nil, "", "no head"] as [String?] {
            unlink(folder.file("audit.head"))
            if let text { try folder.write("audit.head", text) }
            _ = try open()
            #expect(reports.new.map { $0.contains("is missing or damaged") } == [true])
            #expect(try verify() == [])
        }
    }

    @Test("A log that is cut or moved away while it is in use is noticed with the next entry")
    func inUse() async throws {
        let log = try open()
        try await log.append(AuditSample.entries(1...3))
        try write(AuditSample.bytes(AuditSample.log(AuditSample.entries(1...1)).lines))
        try await log.append([AuditSample.entry(4)])
        #expect(reports.new.count == 2)
        #expect(rename(path, folder.file("audit.log.1")) == 0)
        try await log.append([AuditSample.entry(5)])
        #expect(reports.new.count == 2)
        #expect(try await numbers(log) == [5])
        #expect(try verify().count == 1)
        #expect(try verify().first?.hasPrefix("line 1 is out of sequence: it is entry 5, where entry 1 should") == true)
    }

    @Test("What is no file is an error that names it, and says what to do")
    func noFile() {
        mkdir(path, 0o700)
        #expect {
            try open()
        } throws: {
            ($0 as? RouterProblem)?.description == "the audit log \(path) cannot be used: it is no file; move it away"
        }
    }

    // MARK: Files

    private func write(_ bytes: [UInt8]) throws {
        // In its place, as somebody would who has the file open.
        truncate(path, 0)
        try append(bytes)
    }

    private func append(_ bytes: [UInt8]) throws {
        try AuditFiles(folder: folder.path).append(bytes)
    }
}
