import DeviceModel
import Testing

@testable import FileIntegrity

/// Promise: what a signed release brings is no alarm, and anything else is one meanwhile.
@Suite struct ExpectedReleaseTests {
    private static let boot = BootID(bytes: [UInt8](repeating: 7, count: 16))
    private let root = SHA256Hash { $0.pointee = 9 }

    private static func file(_ path: String, _ number: UInt8) -> FileEntry {
        FileEntry(
            path: FilePath(path), kind: .regular, mode: 0o644, owner: 0, group: 0, size: 1,
            content: .digest(SHA256Hash { $0.pointee = number }))
    }

    private static func change(_ path: String, _ before: UInt8?, _ now: UInt8?) -> FileChange {
        FileChange.between(before.map { file(path, $0) }, now.map { file(path, $0) })
            ?? FileChange(path: FilePath(path), kinds: [])
    }

    private var expectation: IntegrityExpectation {
        IntegrityExpectation(
            release: "m2m 0.2.0",
            changes: [Self.change("/a", 1, 2), Self.change("/b", 1, nil), Self.change("/c", nil, 3)],
            root: root, counter: 4)
    }

    private func machine(_ expectation: IntegrityExpectation? = nil) throws -> IntegrityMachine {
        var machine = IntegrityMachine(
            .disable, record: IntegrityRecord(), expectation: expectation, isWaiting: false, disabledBecause: nil,
            boot: try #require(Self.boot), now: second(0))
        if expectation == nil { _ = machine.handle(.checkedAll, at: second(0)) }
        return machine
    }

    private func second(_ number: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: number * 1_000_000_000) }

    private func found(_ changes: FileChange...) -> IntegrityMachine.Event {
        .checked(changes.reduce(into: [:]) { $0.updateValue($1, forKey: $1.path) })
    }

    private func gone(_ path: String) -> IntegrityMachine.Event {
        var findings: FileChecker.Findings = [:]
        findings.updateValue(nil, forKey: FilePath(path))
        return .checked(findings)
    }

    private func isAlarm(_ actions: [IntegrityMachine.Action]) -> Bool {
        actions.contains { action in
            switch action {
            case .disable: true
            case .tell(let news): [.changed, .replaced, .mended].contains(news.name)
            default: false
            }
        }
    }

    @Test("File by file it comes without an alarm, and counts when all of it is there") func arrival() throws {
        var machine = try machine()
        let begin = machine.handle(.order(.expect(expectation), number: 1, found: root), at: second(1))
        #expect(begin.contains(.expect(expectation)))
        #expect(begin.contains(.answer(number: 1, CommandOutcome(.done))))
        for (number, event) in [
            found(Self.change("/a.dpkg-new", nil, 2)), found(Self.change("/a", 1, 2)), found(Self.change("/b", 1, nil)),
            found(Self.change("/c", nil, 3)),
        ].enumerated() {
            let actions = machine.handle(event, at: second(2 + Int64(number)))
            #expect(!isAlarm(actions), "\(actions)")
            #expect(machine.state == .intact)
        }
        #expect(machine.violations == 0)
        #expect(machine.remarks[FilePath("/a")] == "m2m 0.2.0 brings it")
        // The last trace of its being on the way.
        let end = machine.handle(gone("/a.dpkg-new"), at: second(9))
        #expect(!isAlarm(end))
        guard case .adopt(let changes, 4)? = end.first else {
            Issue.record("it was not adopted: \(end)")
            return
        }
        #expect(changes.sorted { $0.path < $1.path } == expectation.changes)
        #expect(end.contains(.tell(IntegrityNews(.approved, "m2m 0.2.0"))))
        #expect(machine.changes.isEmpty)
        // From now on the same would be a change like any other.
        #expect(isAlarm(machine.handle(found(Self.change("/a", 2, 1)), at: second(20))))
    }

    @Test("What is not of the release alarms meanwhile: another file, another content, a file like a temporary one")
    func others() throws {
        for other in [
            Self.change("/d", 1, 2), Self.change("/a", 1, 7), Self.change("/d.dpkg-new", nil, 1),
            Self.change("/c", nil, 9), Self.change("/.dpkg-new", nil, 1),
        ] {
            var machine = try machine()
            _ = machine.handle(.order(.expect(expectation), number: 1, found: root), at: second(1))
            #expect(isAlarm(machine.handle(found(other), at: second(2))), "\(other)")
            #expect(machine.state == .disabled)
        }
    }

    @Test("What came before it was expected counts as well, and of what was not told yet nobody is told")
    func late() throws {
        var machine = try machine()
        _ = machine.handle(found(Self.change("/z", 1, 2)), at: second(1))
        _ = machine.handle(
            found(Self.change("/a", 1, 2), Self.change("/b", 1, nil), Self.change("/c", nil, 3)), at: second(1))
        let actions = machine.handle(.order(.expect(expectation), number: 1, found: root), at: second(5))
        #expect(!isAlarm(actions))
        #expect(machine.changes.keys.map(\.description) == ["/z"])
        #expect(machine.violations == 1)
    }

    @Test("It outlives the agent: what came while that was stopped is no alarm at its start") func restart() throws {
        let kept = try #require(ExpectedRelease(ExpectedRelease(expectation).text))
        #expect(kept == ExpectedRelease(expectation))
        var machine = try machine(kept.expectation)
        let actions = machine.handle(
            found(Self.change("/a", 1, 2), Self.change("/b", 1, nil), Self.change("/c", nil, 3)), at: second(1))
        #expect(!isAlarm(actions))
        #expect(actions.contains { if case .adopt(_, 4) = $0 { true } else { false } })
        #expect(!isAlarm(machine.handle(.checkedAll, at: second(2))))
        #expect(machine.state == .intact)
    }

    @Test("One at a time: another one is refused until it is there, the same one is none") func oneAtATime() throws {
        var machine = try machine()
        _ = machine.handle(.order(.expect(expectation), number: 1, found: root), at: second(1))
        var other = expectation
        other.release = "other 1"
        let refused = machine.handle(.order(.expect(other), number: 2, found: root), at: second(1))
        guard case .answer(2, let outcome)? = refused.first else {
            Issue.record("\(refused)")
            return
        }
        #expect(outcome.status == .refused)
        #expect(outcome.reason?.contains("m2m 0.2.0 is on its way") == true)
        let same = machine.handle(.order(.expect(expectation), number: 3, found: root), at: second(1))
        #expect(same.contains(.answer(number: 3, CommandOutcome(.done))))
        #expect(machine.expected == root)
    }

    @Test("A name like a temporary one is no place for a program that runs as its owner, nor for a file that was there")
    func temporary() {
        let release = ExpectedRelease(expectation)
        var entry = Self.file("/a.dpkg-new", 7)
        func brings(_ before: FileEntry? = nil) -> Bool {
            release.brings(FileChange(path: entry.path, kinds: [.added], before: before, now: entry)) { _ in false }
        }
        #expect(brings())
        #expect(!brings(entry))
        entry.mode = 0o4755
        #expect(!brings())
        entry.mode = 0o755
        let beside = FileChange(
            path: FilePath("/other.dpkg-tmp"), kinds: [.added], now: Self.file("/other.dpkg-tmp", 1))
        #expect(!release.brings(beside) { _ in false })
        #expect(release.brings(beside) { $0 == FilePath("/other") })
        entry.kind = .folder
        #expect(!brings())
    }

    @Test("What the owner approves takes its place") func approved() throws {
        var machine = try machine()
        _ = machine.handle(.order(.expect(expectation), number: 1, found: root), at: second(1))
        _ = machine.handle(found(Self.change("/a", 1, 2)), at: second(2))
        let order = IntegrityOrder.approve(root: root, counter: 4)
        _ = machine.handle(.order(order, number: 2, found: root), at: second(3))
        #expect(isAlarm(machine.handle(found(Self.change("/b", 1, nil)), at: second(4))))
    }

    @Test("A file that was cut, or says something else, says nothing") func damaged() {
        let text = ExpectedRelease(expectation).text
        for count in 0..<text.utf8.count - 1 { #expect(ExpectedRelease(String(text.prefix(count))) == nil) }
        #expect(ExpectedRelease(text + "x") == nil)
    }
}
