import DeviceModel
import Testing

@testable import FileIntegrity

/// What is made of changes: pure, with a clock that the test turns.
@Suite struct IntegrityMachineTests {
    private static let boot = BootID(bytes: [UInt8](repeating: 7, count: 16))
    private let root = SHA256Hash { $0.pointee = 1 }

    private func machine(
        _ response: IntegrityResponse = .disable, record: IntegrityRecord = IntegrityRecord(), isWaiting: Bool = false,
        disabledBecause: String? = nil
    ) throws -> IntegrityMachine {
        IntegrityMachine(
            response, record: record, isWaiting: isWaiting, disabledBecause: disabledBecause,
            boot: try #require(Self.boot), now: second(0))
    }

    private func second(_ number: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: number * 1_000_000_000) }

    private static func change(_ name: String, _ kind: FileChange.Kind = .content) -> FileChange {
        let entry = FileEntry(path: FilePath(name), kind: .regular, mode: 0o644, owner: 0, group: 0)
        return FileChange(path: FilePath(name), kinds: [kind], before: entry, now: entry)
    }

    private static func findings(_ names: String..., kind: FileChange.Kind = .content) -> IntegrityMachine.Event {
        .checked(names.reduce(into: [:]) { $0.updateValue(change($1, kind), forKey: FilePath($1)) })
    }

    private static func mended(_ name: String) -> IntegrityMachine.Event {
        var findings: FileChecker.Findings = [:]
        findings.updateValue(nil, forKey: FilePath(name))
        return .checked(findings)
    }

    private func names(_ actions: [IntegrityMachine.Action]) -> [String] {
        actions.compactMap { action in
            switch action {
            case .tell(let news): news.name.rawValue
            case .disable: "DISABLE"
            case .enable: "ENABLE"
            case .adopt: "ADOPT"
            case .confirm: "CONFIRM"
            case .answer(_, let outcome): outcome.status.rawValue
            case .keep, .expect: nil
            }
        }
    }

    @Test("A change disables before it is told, once, and stays so when it is mended")
    func disable() throws {
        var machine = try machine()
        #expect(names(machine.handle(.checkedAll, at: second(0))) == [])
        #expect(names(machine.handle(Self.findings("/a"), at: second(1))) == ["DISABLE", "disabled", "changed"])
        #expect(machine.state == .disabled)
        #expect(names(machine.handle(Self.findings("/a"), at: second(2))) == [])
        #expect(names(machine.handle(Self.findings("/b"), at: second(2))) == ["changed"])
        #expect(names(machine.handle(Self.mended("/a"), at: second(3))) == ["mended"])
        #expect(names(machine.handle(Self.mended("/b"), at: second(4))) == ["mended"])
        #expect(machine.state == .disabled)
        #expect(machine.changes.isEmpty)
    }

    @Test("Many changes one after the other are few alarms; what is done about them never waits")
    func together() throws {
        var machine = try machine()
        _ = machine.handle(.checkedAll, at: second(0))
        func moment(_ milliseconds: Int64) -> MonotonicTime { second(1) + .milliseconds(milliseconds) }
        #expect(names(machine.handle(Self.findings("/a", kind: .replaced), at: moment(0))) == ["replaced"])
        #expect(machine.deadline == nil)
        #expect(names(machine.handle(Self.findings("/b"), at: moment(1))) == ["DISABLE", "disabled"])
        #expect(names(machine.handle(Self.findings("/c"), at: moment(2))) == [])
        #expect(machine.deadline == moment(1_000))
        #expect(names(machine.handle(.tick, at: moment(999))) == [])
        let told = machine.handle(.tick, at: moment(1_000))
        #expect(names(told) == ["changed"])
        #expect(told.contains(.tell(IntegrityNews(.changed, [Self.change("/b"), Self.change("/c")]))))
        #expect(machine.deadline == nil)
        // What was gone before anybody was told of it is told all the same, both that it came and that it went.
        #expect(names(machine.handle(Self.findings("/d"), at: moment(1_001))) == [])
        #expect(names(machine.handle(Self.mended("/d"), at: moment(1_002))) == [])
        let passed = machine.handle(.tick, at: moment(2_000))
        #expect(names(passed) == ["changed", "mended"])
        #expect(passed.contains(.tell(IntegrityNews(.changed, [Self.change("/d")]))))
        #expect(machine.deadline == nil)
    }

    @Test("What was changed and mended, and is changed again before anybody was told, is told as it is")
    func again() throws {
        var machine = try machine(.alert)
        _ = machine.handle(.checkedAll, at: second(0))
        #expect(names(machine.handle(Self.findings("/a"), at: second(1))) == ["changed"])
        #expect(names(machine.handle(Self.findings("/b"), at: second(1))) == [])
        #expect(names(machine.handle(Self.mended("/b"), at: second(1))) == [])
        #expect(names(machine.handle(Self.findings("/b", kind: .mode), at: second(1))) == [])
        let told = machine.handle(.tick, at: second(2))
        #expect(names(told) == ["changed"])
        #expect(told.contains(.tell(IntegrityNews(.changed, [Self.change("/b", .mode)]))))
    }

    @Test("Where only an alert is wanted nothing is disabled")
    func alert() throws {
        var machine = try machine(.alert)
        _ = machine.handle(.checkedAll, at: second(0))
        #expect(names(machine.handle(Self.findings("/a"), at: second(1))) == ["changed"])
        #expect(machine.state == .changed)
    }

    @Test("What the owner wants counts where it is more than what is configured, and what is configured else")
    func strictest() throws {
        var machine = try machine(.alert)
        _ = machine.handle(.checkedAll, at: second(0))
        _ = machine.handle(Self.findings("/a"), at: second(1))
        let verdict = IntegrityVerdict(counter: 1, response: .disable)
        #expect(
            names(machine.handle(.verdict(verdict), at: second(2))) == ["DISABLE", "disabled", "changed", "CONFIRM"])
        var other = try self.machine(.disable)
        _ = other.handle(.verdict(IntegrityVerdict(counter: 1, response: .alert)), at: second(2))
        #expect(other.response == .disable)
    }

    @Test("A file that was only replaced by one that is like it is told, and disables nothing")
    func replaced() throws {
        var machine = try machine()
        _ = machine.handle(.checkedAll, at: second(0))
        #expect(names(machine.handle(Self.findings("/a", kind: .replaced), at: second(1))) == ["replaced"])
        #expect(machine.state == .intact)
        #expect(machine.changes.isEmpty)
    }

    @Test(
        "At the start what was found disables at once and is told in one piece, whatever a file says was told before")
    func start() throws {
        var machine = try machine()
        #expect(names(machine.handle(Self.findings("/a"), at: second(0))) == ["DISABLE", "disabled"])
        #expect(names(machine.handle(Self.findings("/b"), at: second(0))) == [])
        let actions = machine.handle(.checkedAll, at: second(1))
        #expect(names(actions) == ["changed"])
        guard case .keep(let record)? = actions.last else {
            Issue.record("what was told is not written down")
            return
        }
        var again = try self.machine(record: record, disabledBecause: "why")
        _ = again.handle(Self.findings("/a"), at: second(0))
        _ = again.handle(Self.findings("/b"), at: second(0))
        #expect(names(again.handle(.checkedAll, at: second(1))) == ["changed"])
        var mended = try self.machine(record: record, disabledBecause: "why")
        #expect(names(mended.handle(.checkedAll, at: second(1))) == ["mended"])
    }

    @Test(
        "In a window nothing is told and nothing disabled; what is not approved at its end is a change like any other")
    func window() throws {
        var machine = try machine()
        _ = machine.handle(.checkedAll, at: second(0))
        let open = machine.handle(.order(.window(.seconds(60)), number: 1, found: root), at: second(10))
        #expect(names(open) == ["window-open", "done"])
        #expect(machine.state == .window)
        #expect(machine.deadline == second(70))
        #expect(names(machine.handle(Self.findings("/a", "/b"), at: second(20))) == [])
        #expect(names(machine.handle(Self.mended("/b"), at: second(20))) == [])
        #expect(names(machine.handle(Self.findings("/c", kind: .replaced), at: second(20))) == [])
        #expect(names(machine.handle(.tick, at: second(69))) == [])
        #expect(names(machine.handle(.tick, at: second(70))) == ["window-over", "DISABLE", "disabled", "changed"])
    }

    @Test("What was approved in a window is none of its changes when it ends; a window can be ended early")
    func windowApproved() throws {
        var machine = try machine()
        _ = machine.handle(.checkedAll, at: second(0))
        _ = machine.handle(.order(.window(.seconds(60)), number: 1, found: root), at: second(10))
        _ = machine.handle(Self.findings("/a"), at: second(20))
        let approve = machine.handle(.order(.approve(root: root, counter: 4), number: 2, found: root), at: second(30))
        #expect(names(approve) == ["ADOPT", "approved", "done"])
        #expect(approve.contains(.adopt([Self.change("/a")], counter: 4)))
        let end = machine.handle(.order(.window(.zero), number: 3, found: root), at: second(40))
        #expect(names(end) == ["window-over", "done"])
        #expect(machine.state == .intact)
        #expect(names(machine.handle(.order(.window(.zero), number: 4, found: root), at: second(40))) == ["refused"])
    }

    @Test("A window outlives the agent, and no boot")
    func windowOverRestart() throws {
        var record = IntegrityRecord()
        record.window = IntegrityRecord.Window(boot: try #require(Self.boot), end: second(100))
        #expect(try machine(record: record).windowEnd == second(100))
        record.window?.boot = try #require(BootID(bytes: [UInt8](repeating: 8, count: 16)))
        #expect(try machine(record: record).windowEnd == nil)
        // Whoever writes the file may write any end.
        record.window = IntegrityRecord.Window(boot: try #require(Self.boot), end: second(1_000_000))
        #expect(try machine(record: record).windowEnd == second(86_400))
    }

    @Test("A window that the router knows nothing of ends, and what it has hidden is a change like any other")
    func windowOfNobody() throws {
        var record = IntegrityRecord()
        record.window = IntegrityRecord.Window(boot: try #require(Self.boot), end: second(100))
        var machine = try machine(record: record)
        _ = machine.handle(.checkedAll, at: second(0))
        #expect(names(machine.handle(Self.findings("/a"), at: second(1))) == [])
        let verdict = IntegrityVerdict(counter: 1, disabledBecause: "nobody", objection: "nobody")
        #expect(
            names(machine.handle(.verdict(verdict), at: second(2))) == [
                "window-over", "DISABLE", "disabled", "changed",
            ])
        #expect(machine.windowEnd == nil)
    }

    @Test("No longer than a day")
    func longWindow() throws {
        var machine = try machine()
        _ = machine.handle(.order(.window(.seconds(900_000)), number: 1, found: root), at: second(0))
        #expect(machine.windowEnd == second(86_400))
    }

    @Test("What has changed since it was shown is not approved; nor is anything before all was looked at")
    func approveOther() throws {
        var machine = try machine()
        let other = SHA256Hash { $0.pointee = 2 }
        let early = machine.handle(.order(.approve(root: root, counter: 1), number: 1, found: root), at: second(0))
        #expect(names(early) == ["refused"])
        _ = machine.handle(.checkedAll, at: second(0))
        let late = machine.handle(.order(.approve(root: root, counter: 1), number: 1, found: other), at: second(0))
        #expect(names(late) == ["refused"])
    }

    @Test("A device is enabled when its files are mended or approved, and not before")
    func enable() throws {
        var machine = try machine()
        _ = machine.handle(.checkedAll, at: second(0))
        _ = machine.handle(Self.findings("/a"), at: second(1))
        #expect(names(machine.handle(.order(.enable(nil), number: 1, found: root), at: second(2))) == ["refused"])
        _ = machine.handle(Self.mended("/a"), at: second(3))
        let actions = machine.handle(.order(.enable(nil), number: 1, found: root), at: second(4))
        #expect(names(actions) == ["ENABLE", "enabled", "done"])
        #expect(machine.state == .intact)
    }

    @Test("Without a baseline of its own a device waits for its router: for a word that is good, or one that is not")
    func waiting() throws {
        var machine = try machine(isWaiting: true)
        #expect(names(machine.begin()) == ["DISABLE"])
        #expect(machine.state == .waiting)
        _ = machine.handle(.checkedAll, at: second(0))
        #expect(names(machine.handle(.verdict(IntegrityVerdict(counter: 3)), at: second(1))) == ["CONFIRM", "ENABLE"])
        #expect(machine.state == .intact)
        var other = try self.machine(isWaiting: true)
        let no = IntegrityVerdict(counter: 3, objection: "it is another one")
        #expect(names(other.handle(.verdict(no), at: second(1))) == ["DISABLE", "disabled"])
        #expect(other.state == .disabled)
        // An alert alone is no reason to wait.
        #expect(names(try self.machine(.alert, isWaiting: true).begin()) == [])
    }

    @Test("What the router says of a baseline that is another one by now confirms nothing, and disables all the same")
    func lateVerdict() throws {
        var machine = try machine(isWaiting: true)
        _ = machine.handle(.checkedAll, at: second(0))
        let fine = IntegrityVerdict(counter: 3)
        #expect(names(machine.handle(.verdict(fine, isCurrent: false), at: second(1))) == [])
        #expect(machine.state == .waiting)
        let objection = IntegrityVerdict(counter: 3, objection: "it was another one")
        #expect(names(machine.handle(.verdict(objection, isCurrent: false), at: second(1))) == [])
        let no = IntegrityVerdict(counter: 3, disabledBecause: "its owner knows why")
        #expect(names(machine.handle(.verdict(no, isCurrent: false), at: second(2))) == ["DISABLE", "disabled"])
    }

    @Test("What the router has disabled is disabled, and it says so after a restart, too")
    func disabledByRouter() throws {
        var machine = try machine(.alert)
        let verdict = IntegrityVerdict(counter: 3, disabledBecause: "an older copy", objection: "an older copy")
        #expect(machine.handle(.verdict(verdict), at: second(1)).contains(.disable("an older copy", isKept: true)))
        #expect(names(machine.handle(.verdict(verdict), at: second(2))) == [])
        _ = machine.handle(.checkedAll, at: second(2))
        #expect(names(machine.handle(.order(.enable(nil), number: 1, found: root), at: second(3))) == ["refused"])
    }

    @Test("Nothing is enabled before all was looked at: whoever wants it waits until then")
    func early() throws {
        var machine = try machine(disabledBecause: "why")
        #expect(names(machine.handle(.order(.enable(nil), number: 1, found: root), at: second(0))) == [])
        #expect(names(machine.handle(.checkedAll, at: second(0))) == ["ENABLE", "enabled", "done"])
        var other = try self.machine(disabledBecause: "why")
        _ = other.handle(.order(.enable(nil), number: 1, found: root), at: second(0))
        _ = other.handle(Self.findings("/a"), at: second(0))
        #expect(names(other.handle(.checkedAll, at: second(0))) == ["changed", "refused"])
        for number in 1...4 {
            var many = try self.machine(disabledBecause: "why")
            for order in 0..<number {
                _ = many.handle(.order(.enable(nil), number: order, found: root), at: second(0))
            }
            let one = many.handle(.order(.enable(nil), number: 9, found: root), at: second(0))
            #expect(names(one) == (number == 4 ? ["refused"] : []))
        }
    }

    @Test("Less than what is configured can't be had by an order: it says so")
    func lessThanConfigured() throws {
        var machine = try machine(.disable)
        _ = machine.handle(.checkedAll, at: second(0))
        let actions = machine.handle(.order(.enable(.alert), number: 1, found: root), at: second(0))
        #expect(names(actions) == ["refused"])
        #expect(
            actions.contains {
                if case .answer(_, let outcome) = $0 { outcome.reason?.contains("agent.toml") ?? false } else { false }
            })
    }

    @Test("What is written down comes back, and a file that was cut says nothing")
    func record() throws {
        var record = IntegrityRecord()
        #expect(IntegrityRecord(record.text) == record)
        record.response = .disable
        record.window = IntegrityRecord.Window(boot: try #require(Self.boot), end: second(100))
        record.isChanged = true
        #expect(IntegrityRecord(record.text) == record)
        for count in 0..<record.text.count - 1 { #expect(IntegrityRecord(String(record.text.prefix(count))) == nil) }
        #expect(IntegrityRecord("response maybe\nend\n") == nil)
    }
}
