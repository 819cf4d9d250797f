import DeviceManager
import DeviceModel
import HALTestKit
import TestSupport
import Testing

@testable import Store

/// A command is begun once, also after a new start, and one that a crash interrupted is told of.
@Suite(.timeLimit(.minutes(1))) struct CommandLogTests {
    private let time = ManualTime()
    private let folder: StoreFolder

    init() throws {
        folder = try StoreFolder(time: time)
    }

    @Test("a command is claimed once, also after a new start")
    func claimedOnce() async throws {
        let store = try folder.open()
        #expect(try await store.claim(Sample.command("a")))
        #expect(try await !store.claim(Sample.command("a")))
        #expect(try await folder.open().claim(Sample.command("a")) == false)
    }

    @Test("the newest commands are remembered, also when the clock is set back to long before the others")
    func newestCommands() async throws {
        let disk = SimulatedDisk()
        let store = try disk.open(time: time)
        func finish(_ ids: some Sequence<String>) async throws {
            let ids = Array(ids)
            for id in ids { #expect(try await store.claim(Sample.command(id))) }
            _ = try await store.append(ids.map { Sample.result($0, .done, at: time) }, lost: [])
        }
        try await finish((0..<1_000).map { "old\($0)" })
        time.setWall(WallTime(nanoseconds: 0))
        try await finish(["new"])
        try await finish(["newer", "newest"])
        for id in ["new", "newer", "newest"] { #expect(try await !store.claim(Sample.command(id))) }
        #expect(try await store.claim(Sample.command("old0")))
    }

    @Test("a command without an end was interrupted")
    func interrupted() async throws {
        do {
            let store = try folder.open()
            for id in ["a", "b", "c"] { _ = try await store.claim(Sample.command(id)) }
            _ = try await store.append([Sample.result("a", .done, at: time)], lost: [])
            // That an id was given before says nothing about the first command of that id.
            let again = CommandResult(of: Sample.command("b"), .refused, reason: Command.givenBefore)
            _ = try await store.append([Observation(time: time.timestamp, content: .result(again))], lost: [])
            // A rule that refuses it does.
            _ = try await store.claim(Sample.command("d"))
            let refused = CommandResult(of: Sample.command("d"), .refused, reason: "min_off: off for 10 s more")
            _ = try await store.append([Observation(time: time.timestamp, content: .result(refused))], lost: [])
        }
        let store = try folder.open()
        let interrupted = try await store.interrupted()
        #expect(interrupted.map(\.id.rawValue).sorted() == ["b", "c"])
        #expect(interrupted.allSatisfy { $0.status == .interrupted })
        let results = interrupted.map { Observation(time: time.timestamp, content: .result($0)) }
        _ = try await store.append(results, lost: [])
        #expect(try await store.interrupted().isEmpty)
    }

    @Test("a command that was never finished is remembered, however many come after it")
    func unfinishedStays() async throws {
        let disk = SimulatedDisk()
        let store = try disk.open(time: time)
        #expect(try await store.claim(Sample.command("never")))
        for number in 0..<1_100 {
            #expect(try await store.claim(Sample.command("\(number)")))
            _ = try await store.append([Sample.result("\(number)", .done, at: time)], lost: [])
        }
        #expect(try await store.interrupted().map(\.id.rawValue) == ["never"])
        #expect(try await !store.claim(Sample.command("never")))
        #expect(try await !store.claim(Sample.command("1099")))
        #expect(try await store.claim(Sample.command("0")))
    }
}
