import DeviceModel
import Testing

@testable import Router

/// Promise: the first failure is written at once, what comes again is counted, and no flood makes more than about a
/// thousand lines a minute.
@Suite struct FailureAggregatorTests {
    private func at(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: Int64(seconds * 1e9))
    }

    @Test("A failure that does not come again is one entry, as it was")
    func once() {
        var failures = FailureAggregator()
        let failure = AuditSample.failure()
        #expect(failures.deadline == nil)
        #expect(failures.add(failure, at: at(0)) == [failure])
        #expect(failures.deadline == at(60))
        #expect(failures.due(at: at(60)) == [])
        #expect(failures.deadline == nil)
        #expect(failures.flush() == [])
    }

    @Test("What comes again within a minute is one entry more, that says how often and when last")
    func again() {
        var failures = FailureAggregator()
        _ = failures.add(AuditSample.failure(0), at: at(0))
        for second in 1...30 { #expect(failures.add(AuditSample.failure(second), at: at(Double(second))) == []) }
        #expect(failures.due(at: at(59.9)) == [])
        let due = failures.due(at: at(60))
        #expect(due.count == 1)
        #expect(due.first?.times == 30)
        #expect(due.first?.time == AuditSample.time + .seconds(1))
        #expect(due.first?.until == AuditSample.time + .seconds(30))
        #expect(due.first?.who == "anna")
        #expect(due.first?.result == "wrong password")
    }

    @Test("Who goes on guessing makes one line a minute; after a minute of rest the next guess is a first one")
    func goingOn() {
        var failures = FailureAggregator()
        var lines = 0
        for second in 0..<600 { lines += failures.add(AuditSample.failure(second), at: at(Double(second))).count }
        #expect(lines == 10)
        #expect(failures.due(at: at(660)).map(\.times) == [60])
        #expect(failures.due(at: at(720)) == [])
        #expect(failures.add(AuditSample.failure(800), at: at(800)).map(\.times) == [1])
    }

    @Test("Other people, places, acts and accounts are kinds of their own")
    func kinds() {
        var failures = FailureAggregator()
        let ones =
            [
                AuditSample.failure(), AuditSample.failure(from: "10.0.0.2"),
                AuditEntry(time: AuditSample.time, who: "anna", source: "10.0.0.1", act: .codeFailed),
            ]
            + ["anna", "device shed"].map { who in
                AuditEntry(
                    time: AuditSample.time, account: AuditSample.anna, who: who, source: "10.0.0.1", act: .loginFailed)
            }
        for one in ones { #expect(failures.add(one, at: at(0)) == [one]) }
        for one in ones { #expect(failures.add(one, at: at(1)) == []) }
        #expect(failures.due(at: at(60)) == ones)
    }

    @Test("Whoever has no account is known by the address alone, however many names they give themselves")
    func strangers() {
        var failures = FailureAggregator()
        #expect(failures.add(AuditSample.failure(who: "anna"), at: at(0)).count == 1)
        for number in 0..<1_000 {
            #expect(failures.add(AuditSample.failure(who: "user\(number)"), at: at(1)) == [])
        }
        let due = failures.due(at: at(60))
        #expect(due.map(\.who) == ["several"])
        #expect(due.map(\.times) == [1_000])
    }

    @Test("Where the reasons or the objects differ the entry says that there were several")
    func several() {
        var failures = FailureAggregator()
        _ = failures.add(AuditSample.failure(0), at: at(0))
        _ = failures.add(AuditSample.failure(1), at: at(1))
        _ = failures.add(AuditSample.failure(2, result: "too many"), at: at(2))
        #expect(failures.due(at: at(60)).map(\.result) == ["several"])
    }

    @Test("When everything has to be written nothing is kept back, and the count begins again")
    func flush() {
        var failures = FailureAggregator()
        for second in 0..<5 { _ = failures.add(AuditSample.failure(second), at: at(0)) }
        #expect(failures.flush().map(\.times) == [4])
        #expect(failures.deadline == nil)
        #expect(failures.add(AuditSample.failure(9), at: at(1)).count == 1)
    }

    @Test("Beyond a thousand kinds failures are put together for each act, whoever they were")
    func flood() {
        var (failures, lines) = (FailureAggregator(), [AuditEntry]())
        for number in 0..<50_000 {
            let failure = AuditSample.failure(
                who: "user\(number)", from: "10.\(number / 256).\(number % 256).1", number % 60)
            lines += failures.add(failure, at: at(Double(number) / 1_000))
        }
        #expect(lines.count == FailureAggregator.bound + 1)
        #expect(lines.last?.source == "many sources")
        let code = AuditEntry(time: AuditSample.time, who: "x", source: "y", act: .codeFailed)
        #expect(failures.add(code, at: at(50)).map(\.source) == ["many sources"])
        // Who was known before is counted apart, also now.
        #expect(failures.add(AuditSample.failure(who: "user1", from: "10.0.1.1"), at: at(50)) == [])
        let due = failures.due(at: at(120))
        #expect(due.map(\.times).sorted() == [1, 48_999])
        #expect(due.map(\.times).reduce(lines.count, +) == 50_001)
    }

    @Test("A flood that never ends makes about a thousand lines a minute")
    func endless() {
        var (failures, lines) = (FailureAggregator(), 0)
        for number in 0..<60_000 {
            let failure = AuditSample.failure(who: "user\(number % 3_000)", number)
            lines += failures.add(failure, at: at(Double(number) / 100)).count
        }
        #expect(lines <= 11 * (FailureAggregator.bound + 1))
    }
}
