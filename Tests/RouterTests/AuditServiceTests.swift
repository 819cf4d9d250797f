import DeviceModel
import HALTestKit
import Logging
import Testing

@testable import Router

/// Promise: noting something never waits, and what was noted is in the log, or its number is.
@Suite(.timeLimit(.minutes(1))) struct AuditServiceTests {
    private let disk = MemoryAuditDisk()
    private let queue = AuditQueue()
    private let time = ManualTime()
    private let log: AuditLog

    init() throws {
        log = try AuditLog(disk) { Issue.record("\($0)") }
    }

    private var service: AuditService {
        AuditService(
            queue: queue, log: log, time: time, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func entries() async throws -> [AuditEntry] {
        try await log.entries(of: nil, since: nil, limit: 10_000).map(\.entry)
    }

    /// Runs the service while a test looks at it, and ends it.
    private func run(_ body: () async throws -> Void) async rethrows {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await service.run() }
            defer { queue.finish() }
            try await body()
        }
    }

    @Test("What was noted is written, in its order, before the service ends")
    func written() async throws {
        for second in 1...1_000 { queue.note(AuditSample.entry(second)) }
        await run {}
        #expect(try await entries() == AuditSample.entries(1...1_000))
    }

    @Test("What is noted while the service runs is written at once")
    func atOnce() async throws {
        try await run {
            queue.note(AuditSample.entry(1))
            while try await entries().count < 1 { await Task.yield() }
            queue.note(AuditSample.entry(2))
            while try await entries().count < 2 { await Task.yield() }
        }
    }

    @Test("Failures are put together, and written after a minute, or when the service ends")
    func failures() async throws {
        try await run {
            for second in 0..<10 { queue.noteFailure(AuditSample.failure(second)) }
            while try await entries().count < 1 { await Task.yield() }
            await time.untilSleepers()
            time.advance(by: .seconds(60))
            while try await entries().count < 2 { await Task.yield() }
            for second in 60..<65 { queue.noteFailure(AuditSample.failure(second)) }
        }
        #expect(try await entries().map(\.times) == [1, 9, 5])
    }

    @Test("Beyond the bound failures make room for others, and are counted in an entry of their own")
    func full() async throws {
        for number in 0..<100 { queue.noteFailure(AuditSample.failure(who: "user\(number)")) }
        for second in 1...AuditQueue.bound { queue.note(AuditSample.entry(second)) }
        await run {}
        let found = try await entries()
        // The batch writes in portions, so that nothing is lost behind the queue.
        #expect(found.filter { $0.act == .command } == AuditSample.entries(1...AuditQueue.bound))
        #expect(found.filter { $0.act == .loginFailed } == [])
        #expect(found.filter { $0.act == .entriesLost }.map(\.times) == [100])
    }

    @Test("While the disk is full entries wait, and are written when there is room again")
    func diskFull() async throws {
        disk.set { $0.room = 10 }
        try await run {
            queue.note(AuditSample.entry(1))
            await time.untilSleepers()  // it waits for its next try
            queue.note(AuditSample.entry(2))
            time.advance(by: .seconds(1))
            await time.untilSleepers()
            #expect(try await entries() == [])
            disk.set { $0.room = nil }
            time.advance(by: .seconds(30))
            while try await entries().count < 2 { await Task.yield() }
        }
        #expect(try await entries() == AuditSample.entries(1...2))
    }

    @Test("What comes after the end is not waited for")
    func ended() async {
        queue.finish()
        await run {}
        queue.note(AuditSample.entry(1))
        #expect(queue.takeLoss()?.entry.times == 1)
        #expect(disk.log == [])
    }
}
