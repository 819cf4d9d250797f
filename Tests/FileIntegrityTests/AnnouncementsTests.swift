import DeviceModel
import Testing

@testable import FileIntegrity

@Suite struct AnnouncementsTests {
    private let first = FilePath("/a")
    private let second = FilePath("/b")

    private func change(_ path: FilePath) -> FileChange {
        let entry = FileEntry(path: path, kind: .regular, mode: 0o644, owner: 0, group: 0)
        return FileChange(path: path, kinds: [.content], before: entry, now: entry)
    }

    private func millisecond(_ number: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: number * 1_000_000) }

    @Test("The first is told at once, and what comes within a second together")
    func together() {
        var announcements = Announcements()
        let nothing = announcements.take([:], at: millisecond(0))
        #expect(nothing == nil)
        announcements.changed(first)
        #expect(announcements.deadline == nil)
        let atOnce = announcements.take([first: change(first)], at: millisecond(0))
        #expect(atOnce?.map(\.name) == [.changed])
        announcements.changed(second)
        announcements.mended(first, before: change(first))
        announcements.replaced(change(second))
        #expect(announcements.deadline == millisecond(1_000))
        let early = announcements.take([second: change(second)], at: millisecond(999))
        #expect(early == nil)
        let later = announcements.take([second: change(second)], at: millisecond(1_000))
        #expect(later?.map(\.name) == [.replaced, .changed, .mended])
        #expect(announcements.deadline == nil)
    }

    @Test("What was changed and undone before it was told is told as both; in a window as nothing")
    func undone() {
        var announcements = Announcements()
        announcements.changed(first)
        announcements.mended(first, before: change(first))
        let both = announcements.take([:], at: millisecond(0))
        #expect(both?.map(\.name) == [.changed, .mended])
        announcements.changed(first)
        announcements.mended(first, before: nil)
        let none = announcements.take([:], at: millisecond(5_000))
        #expect(none == nil)
    }

    @Test("What was approved is told no more, and a file that was replaced is told nevertheless")
    func emptied() {
        var announcements = Announcements()
        announcements.changed(first)
        announcements.replaced(change(second))
        announcements = announcements.emptied
        #expect(!announcements.hasChanges)
        let rest = announcements.take([first: change(first)], at: millisecond(0))
        #expect(rest?.map(\.name) == [.replaced])
    }

    @Test("What a release brings is forgotten, one by one or all of it")
    func forgotten() {
        var announcements = Announcements()
        [first, second].forEach { announcements.changed($0) }
        announcements.forget(first)
        #expect(announcements.untold(of: [first: change(first), second: change(second)]).map(\.path) == [second])
        announcements.forget { $0 == second }
        #expect(!announcements.hasChanges)
    }

    @Test("Of many files that are as approved again five are named")
    func many() {
        var announcements = Announcements()
        for number in 0..<7 { announcements.mended(FilePath("/\(number)"), before: nil) }
        let news = announcements.take([:], at: millisecond(0))
        #expect(news?.map(\.detail) == ["/0, /1, /2, /3, /4 and 2 more: as approved again"])
    }
}
