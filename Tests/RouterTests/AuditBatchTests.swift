import DeviceModel
import Testing

@testable import Router

/// Promise: what can't be written waits, in bounds, and what is lost is counted and written down as soon as it can be.
@Suite struct AuditBatchTests {
    private func at(_ seconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: seconds * 1_000_000_000)
    }

    @Test("An entry is due at once, until it is written")
    func once() {
        var batch = AuditBatch()
        #expect(batch.due(at: at(0)) == [])
        batch.add(.entry(AuditSample.entry(1)), at: at(0))
        #expect(batch.due(at: at(0)) == [AuditSample.entry(1)])
        #expect(batch.due(at: at(0)) == [AuditSample.entry(1)])
        batch.written()
        #expect(batch.due(at: at(0)) == [])
        #expect(batch.deadline == nil)
    }

    @Test("Entries are never put together, failures are")
    func kinds() {
        var batch = AuditBatch()
        for second in 0..<3 {
            batch.add(.entry(AuditSample.entry(7)), at: at(0))
            batch.add(.failure(AuditSample.failure(second)), at: at(0))
        }
        #expect(batch.due(at: at(0)).map(\.act) == [.command, .loginFailed, .command, .command])
        batch.written()
        #expect(batch.deadline == at(60))
        #expect(batch.due(at: at(60)).map(\.times) == [2])
    }

    @Test("After a failure it is tried again, after longer and longer pauses up to half a minute")
    func pauses() {
        var (batch, now) = (AuditBatch(), Int64(0))
        batch.add(.entry(AuditSample.entry(1)), at: at(now))
        for pause: Int64 in [1, 2, 4, 8, 16, 30, 30] {
            batch.failed(at: at(now))
            #expect(batch.deadline == at(now + pause))
            #expect(batch.due(at: at(now + pause - 1)) == [])
            now += pause
            #expect(batch.due(at: at(now)) == [AuditSample.entry(1)])
        }
        batch.written()
        batch.add(.entry(AuditSample.entry(2)), at: at(now))
        batch.failed(at: at(now))
        #expect(batch.deadline == at(now + 1))
    }

    @Test("So many wait, further ones are counted, and the count is the last entry once it can be written")
    func lost() {
        var batch = AuditBatch()
        for second in 1...AuditBatch.bound + 10 { batch.add(.entry(AuditSample.entry(second)), at: at(0)) }
        batch.lose(AuditLoss(AuditSample.entry(5_000)))
        batch.failed(at: at(0))
        let due = batch.due(at: at(1))
        #expect(due.count == AuditBatch.bound + 1)
        #expect(due.dropLast() == AuditSample.entries(1...AuditBatch.bound)[...])
        #expect(due.last?.act == .entriesLost)
        #expect(due.last?.times == 11)
        #expect(due.last?.time == AuditSample.time + .seconds(AuditBatch.bound + 1))
        #expect(due.last?.until == AuditSample.time + .seconds(5_000))
        batch.written()
        #expect(batch.due(at: at(2)) == [])
    }

    @Test("That something was lost is written also where nothing else is")
    func lostOnly() {
        var batch = AuditBatch()
        batch.lose(nil)
        #expect(batch.due(at: at(0)) == [])
        batch.lose(AuditLoss(AuditSample.failure(3)))
        #expect(batch.due(at: at(0)).map(\.act) == [.entriesLost])
        #expect(batch.due(at: at(0)).first?.until == nil)
    }

    @Test("At the end everything is due: also failures that were counted, and also during a pause")
    func last() {
        var batch = AuditBatch()
        for second in 0..<3 { batch.add(.failure(AuditSample.failure(second)), at: at(0)) }
        batch.failed(at: at(0))
        #expect(batch.due(at: at(0)) == [])
        #expect(batch.due(at: at(0), isLast: true).map(\.times) == [1, 2])
    }
}
