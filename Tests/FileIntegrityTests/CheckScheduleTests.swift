import DeviceManager
import DeviceModel
import TestSupport
import Testing

@testable import FileIntegrity

/// When rounds are made, and what is read in each: with the real files of a folder, and a clock that the test turns.
@Suite struct CheckScheduleTests {
    private let folder: TemporaryDirectory
    private let checker: FileChecker
    private static let count = 5

    init() throws {
        folder = try TemporaryDirectory()
        for number in 0..<Self.count { try folder.write("f\(number)", String(repeating: "x", count: 300_000)) }
        let trees = FileTrees([folder.path])
        checker = FileChecker(
            trees, watcher: nil, reader: try FileReader(sizeLimit: 1 << 30), baseline: Baseline([]),
            mounts: MountTable())
    }

    private func second(_ number: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: number * 1_000_000_000) }

    /// Makes a round.
    ///
    /// - Returns: Which of the files were read.
    private func round(_ schedule: inout CheckSchedule, at now: MonotonicTime) -> Int {
        let isDue = schedule.begin(checker, at: now)
        #expect(isDue)
        let before = checker.bytesRead
        var findings: FileChecker.Findings = [:]
        while schedule.advance(into: &findings) {}
        schedule.end(cost: .microseconds(1), isOver: true, at: now)
        return Int(checker.bytesRead - before) / 300_000
    }

    @Test("All is read in the first round, and then as much as the time allows, one after the other, at least one")
    func reading() {
        // So short that reading one file is more than its share.
        var schedule = CheckSchedule(interval: .nanoseconds(1), now: second(0))
        var read = (0..<8).map { round(&schedule, at: second($0)) }
        // The folder itself is read, too, and after the last file a round finds nothing more.
        #expect(read.removeFirst() == Self.count)
        #expect(read == [0, 1, 1, 1, 1, 1, 0])
        #expect(schedule.period == .seconds(6))
        read = (8..<10).map { round(&schedule, at: second($0)) }
        #expect(read == [0, 1])
        // With time enough everything is read each time.
        var other = CheckSchedule(interval: .seconds(3_600), now: second(0))
        _ = round(&other, at: second(0))
        let again = round(&other, at: second(3_600))
        #expect(again == Self.count)
        #expect(other.period == .seconds(3_600))
    }

    @Test("A round that can't wait comes at once; one after another of these has to wait a moment, and none is lost")
    func hurry() {
        var schedule = CheckSchedule(interval: .seconds(60), now: second(0))
        _ = round(&schedule, at: second(0))
        #expect(schedule.deadline == second(60))
        schedule.hurry(at: second(1))
        #expect(schedule.deadline == second(1))
        // Only what seems to be another one is read in it.
        let read = round(&schedule, at: second(1))
        #expect(read == 0)
        #expect(schedule.deadline > second(2))
        schedule.hurry(at: second(1))
        let calm = second(1) + .milliseconds(50)
        #expect(schedule.deadline == calm)
        let isCalm = !schedule.begin(checker, at: second(1))
        let isDue = schedule.begin(checker, at: calm)
        #expect(isCalm && isDue)
        // One under way comes to its end, however often something is mounted meanwhile, and one more follows.
        for _ in 0..<10 { schedule.hurry(at: second(2)) }
        var findings: FileChecker.Findings = [:]
        while schedule.advance(into: &findings) {}
        schedule.end(cost: .milliseconds(1), isOver: true, at: second(2))
        #expect(schedule.deadline == second(2) + .milliseconds(50))
        _ = round(&schedule, at: second(3))
        // The usual one comes when it would have come.
        #expect(schedule.deadline == second(60))
        let usual = round(&schedule, at: second(60))
        #expect(usual == Self.count)
    }
}
