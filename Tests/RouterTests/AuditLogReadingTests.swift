import DeviceModel
import Testing
import Wire

@testable import Router

/// Promise: entries and ends are found in a log of any size, with little reading, and for the right account only.
@Suite(.timeLimit(.minutes(5))) struct AuditLogReadingTests {
    private func open(_ disk: MemoryAuditDisk) throws -> AuditLog {
        try AuditLog(disk) { Issue.record("\($0)") }
    }

    /// A log in which every tenth entry is bert's, and all others are anna's.
    private func log(_ count: Int) -> (disk: MemoryAuditDisk, heads: [AuditHead]) {
        let (lines, heads) = AuditSample.log(
            (1...count).map { AuditSample.entry($0, of: $0 % 10 == 0 ? AuditSample.bert : AuditSample.anna) })
        return (MemoryAuditDisk(AuditSample.bytes(lines), head: heads.last), heads)
    }

    @Test("The newest entries come in the order of the log, and not more than are wanted")
    func newest() async throws {
        let log = try open(log(300).disk)
        for limit in [0, 1, 2, 128, 129, 300, 1_000] {
            let found = try await log.entries(of: nil, since: nil, limit: limit)
            #expect(found.map(\.sequence) == Array((1...300).suffix(limit)).map(UInt64.init))
            #expect(found.allSatisfy { $0.entry.time == AuditSample.time + .seconds(Int($0.sequence)) })
        }
    }

    @Test("An account sees its own entries and nobody else's, also one of the same name that came after it")
    func accounts() async throws {
        let disk = log(300).disk
        let log = try open(disk)
        let bert = try await log.entries(of: 2, since: nil, limit: 1_000)
        #expect(bert.map(\.sequence) == stride(from: 10, through: 300, by: 10).map { UInt64($0) })
        try await log.append([AuditSample.entry(301, of: AuditEntry.Account(id: 3, name: "bert"))])
        try await log.append([AuditSample.entry(302, of: nil)])
        #expect(try await log.entries(of: 3, since: nil, limit: 1_000).map(\.sequence) == [301])
        #expect(try await log.entries(of: 2, since: nil, limit: 1_000).count == 30)
        #expect(try await log.entries(of: 66, since: nil, limit: 1_000).isEmpty)  // 66 and 2 share a bit
        #expect(try await log.entries(of: nil, since: nil, limit: 1_000).count == 302)
    }

    @Test("Entries since a time come also where the clock was set back in between, and what lasted until then")
    func since() async throws {
        let disk = MemoryAuditDisk()
        let log = try open(disk)
        try await log.append(AuditSample.entries(500..<700))  // a clock that was ahead
        try await log.append(AuditSample.entries(0..<200))
        let lasting = AuditEntry(
            time: AuditSample.time, who: "a", source: "b", act: .loginFailed, times: 2,
            until: AuditSample.time + .seconds(900))
        try await log.append([lasting])
        let found = try await log.entries(of: nil, since: AuditSample.time + .seconds(650), limit: 1_000)
        #expect(found.map(\.sequence) == Array(151...200) + [401])
    }

    @Test("Every end that the log has had is known, and none that it has not had")
    func knows() async throws {
        let (disk, heads) = log(300)
        let log = try open(disk)
        for head in heads {
            #expect(try await log.knows(head))
            #expect(try await !log.knows(AuditHead(entry: head.entry + 1, hash: head.hash)))
            #expect(try await !log.knows(AuditHead(entry: head.entry, hash: AuditHead.start.hash)))
        }
        #expect(try await log.knows(.start))
        #expect(try await !log.knows(AuditHead(entry: 0, hash: heads[0].hash)))
    }

    @Test("Of 100 000 entries the newest are known without the disk, older ones and pages of them with little of it")
    func many() async throws {
        let (disk, heads) = log(100_000)
        let log = try open(disk)
        #expect(await log.head == heads.last)
        var before = disk.bytesRead
        /// How much has been read since this was asked last.
        func bytesRead() -> Int {
            defer { before = disk.bytesRead }
            return disk.bytesRead - before
        }
        for head in heads.suffix(4_000) { #expect(try await log.knows(head)) }
        #expect(bytesRead() == 0)
        for index in stride(from: 0, to: 90_000, by: 9_973) {
            #expect(try await log.knows(heads[index]))
            #expect(try await !log.knows(AuditHead(entry: heads[index].entry, hash: heads[0].hash + [1])))
            #expect(bytesRead() < 100_000)
        }
        #expect(try await log.entries(of: 2, since: nil, limit: 100).count == 100)
        #expect(bytesRead() < 400_000)
        #expect(try await log.entries(of: 3, since: nil, limit: 100).isEmpty)
        let future = AuditSample.time + .seconds(1_000_000)
        #expect(try await log.entries(of: nil, since: future, limit: 100).isEmpty)
        #expect(bytesRead() == 0)
    }
}
