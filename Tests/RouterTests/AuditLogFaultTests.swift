import DeviceModel
import Glibc
import Testing
import Wire

@testable import Router

/// Promise: what can't be written is an error and leaves the log as it was; no fault of the disk breaks the chain.
@Suite(.timeLimit(.minutes(1))) struct AuditLogFaultTests {
    private let disk = MemoryAuditDisk()
    private let reports = AuditReports()
    private let log: AuditLog

    init() throws {
        log = try AuditLog(disk, report: reports.add)
    }

    private func fails(_ entries: [AuditEntry]) async -> RouterProblem? {
        do {
            try await log.append(entries)
            return nil
        } catch {
            return error
        }
    }

    private func findings() throws -> [String] {
        try AuditVerifier.verify(disk, anchors: []).findings.map(\.description)
    }

    @Test("On a disk that gets full, wherever in an entry, the log stays as it was, and goes on when there is room")
    func full() async throws {
        try await log.append(AuditSample.entries(1...2))
        let (before, head) = (disk.log, await log.head)
        let next = AuditSample.log(AuditSample.entries(1...4)).lines[2...].map(\.count).reduce(0, +)
        for room in 0..<next {
            disk.set { $0.room = room }
            let problem = await fails(AuditSample.entries(3...4))
            #expect(problem?.description.hasSuffix("No space left on device; make room on its disk") == true)
            #expect(disk.log == before)
            #expect(await log.head == head)
        }
        disk.set { $0.room = nil }
        try await log.append(AuditSample.entries(3...4))
        #expect(disk.log == AuditSample.bytes(AuditSample.log(AuditSample.entries(1...4)).lines))
        #expect(try findings() == [])
        #expect(reports.new == [])
    }

    @Test("That audit.head can be neither read nor written is said once, and not with every entry")
    func headlessLog() async throws {
        try await log.append([AuditSample.entry(1)])
        disk.set { ($0.isHeadFailing, $0.isHeadUnreadable) = (true, true) }
        for number in 2...20 { try await log.append([AuditSample.entry(number)]) }
        #expect(reports.new.count <= 2)
    }

    @Test("What does not reach the disk is not in the log, also where it was written wholly")
    func notSynced() async throws {
        try await log.append([AuditSample.entry(1)])
        let before = disk.log
        disk.set { $0.isSyncFailing = true }
        #expect(await fails([AuditSample.entry(2)])?.code == .systemFailure)
        #expect(disk.log == before)
        disk.set { $0.isSyncFailing = false }
        #expect(try await log.append([AuditSample.entry(3)]).entry == 2)
        #expect(try findings() == [])
    }

    @Test("A half written entry that can't be removed either is removed before the next one")
    func notCut() async throws {
        try await log.append([AuditSample.entry(1)])
        disk.set { ($0.room, $0.isCutFailing) = (50, true) }
        #expect(await fails([AuditSample.entry(2)]) != nil)
        #expect(await fails([AuditSample.entry(2)]) != nil)
        disk.set { ($0.room, $0.isCutFailing) = (nil, false) }
        try await log.append([AuditSample.entry(3)])
        #expect(disk.log == AuditSample.bytes(AuditSample.log(AuditSample.entries([1, 3])).lines))
        #expect(try findings() == [])
    }

    @Test("Whole entries that can't be removed after a failure stay in the chain")
    func wholeNotCut() async throws {
        let lines = AuditSample.log(AuditSample.entries(1...2)).lines
        disk.set { ($0.room, $0.isCutFailing) = (lines[0].count + 20, true) }
        #expect(await fails(AuditSample.entries(1...2)) != nil)
        disk.set { ($0.room, $0.isCutFailing) = (nil, false) }
        #expect(try await log.append([AuditSample.entry(3)]).entry == 2)
        #expect(try findings() == [])
    }

    @Test("That audit.head can't be written keeps nobody from writing the log, and is said once")
    func noHead() async throws {
        disk.set { $0.isHeadFailing = true }
        for second in 1...3 { try await log.append([AuditSample.entry(second)]) }
        #expect(reports.new.count == 1)
        #expect(disk.head == .start)
        disk.set { $0.isHeadFailing = false }
        try await log.append([AuditSample.entry(4)])
        #expect(disk.head == (await log.head))
        disk.set { $0.isHeadFailing = true }
        try await log.append([AuditSample.entry(5)])
        #expect(reports.new.count == 1)
        #expect(try findings() == [])
    }

    @Test("While another process keeps the log locked nothing is written")
    func busy() async throws {
        disk.set { $0.isBusy = true }
        let problem = await fails([AuditSample.entry(1)])
        #expect(problem?.code == .busy)
        #expect(problem?.description.contains("another process has been writing it for too long") == true)
        disk.set { $0.isBusy = false }
        try await log.append([AuditSample.entry(1)])
    }

    @Test("Of a power cut at any moment the next run finds what was appended, and says what it finds of the rest")
    func powerCut() async throws {
        try await log.append(AuditSample.entries(1...2))
        let appended = disk.log.count
        let whole = AuditSample.bytes(AuditSample.log(AuditSample.entries(1...4)).lines)
        for size in appended...whole.count {
            let after = MemoryAuditDisk(Array(whole.prefix(size)), head: disk.head)
            let next = try AuditLog(after, report: reports.add)
            #expect(reports.new.count == (whole[size - 1] == 0x0A ? 0 : 1))
            #expect(try await next.knows(log.head))
            try await next.append([AuditSample.entry(9)])
            #expect(try AuditVerifier.verify(after, anchors: []).isSound)
        }
    }

    @Test("Entries that come at the same time are brought onto the disk together")
    func together() async throws {
        try await withThrowingTaskGroup(of: UInt64.self) { group in
            for second in 1...500 {
                group.addTask { [log] in try await log.append([AuditSample.entry(second)]).entry }
            }
            for try await number in group { #expect((1...500).contains(number)) }
        }
        #expect(try await log.entries(of: nil, since: nil, limit: 1_000).count == 500)
        #expect(disk.syncs < 500)
        #expect(try findings() == [])
    }

    @Test("A failure is told to everybody whose entries were to be written together")
    func failTogether() async throws {
        disk.set { $0.room = 0 }
        await withTaskGroup(of: Bool.self) { group in
            for second in 1...50 { group.addTask { await fails([AuditSample.entry(second)]) != nil } }
            for await isTold in group { #expect(isTold) }
        }
        #expect(disk.log == [])
    }
}
