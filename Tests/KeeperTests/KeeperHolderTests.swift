import Components
import DeviceManager
import DeviceModel
import Glibc
import HAL
import TestSupport
import Testing

@testable import Keeper

/// Promises that the agent and the real program m2m-keeper understand each other: what is driven, for how long, and
/// what each learns when the other is gone.
@Suite(.serialized, .timeLimit(.minutes(1))) struct KeeperHolderTests {
    private let bench: KeeperBench
    private let heater = KeeperBench.plan(5) { $0.onAgentLost = .hold(.seconds(3_600)) }
    private let pump = KeeperBench.plan(6)

    init() throws {
        bench = try KeeperBench()
    }

    /// Lets the holder look after outputs, and a keeper hold them.
    private func live(
        _ outputs: [ComponentID: OutputPlan], busy: String? = nil, _ body: (KeeperProcess) async throws -> Void
    ) async throws {
        bench.holder.configure(outputs)
        try await bench.live { () async throws in
            try await bench.tableIsThere()
            try await body(try bench.start(busy: busy))
        }
    }

    @Test("An output is taken at its safe value, driven, and found as it is by whoever asks next")
    func takeAndDrive() async throws {
        try await live(["heater": heater]) { (_) async throws in
            #expect(try await bench.take("heater", heater) == FoundOutput(value: .inactive, reason: .start))
            #expect(try await bench.drive("heater", .active))
            #expect(try bench.edges(5) == ["request m2m-keeper heater", "level 1"])
            // Another deadline alone is no edge.
            let end = bench.time.now + .seconds(3_600)
            #expect(try await bench.drive("heater", .active, until: end))
            #expect(try await bench.take("heater", heater) == FoundOutput(value: .active, until: end))
            #expect(try await bench.drive("heater", .inactive))
            #expect(try bench.edges(5) == ["request m2m-keeper heater", "level 1", "level 0"])
            #expect(bench.holder.notes == [])
        }
    }

    @Test("An active-low output that is safe is high from the first moment")
    func activeLow() async throws {
        let lamp = KeeperBench.plan(13, isActiveLow: true)
        try await live(["lamp": lamp]) { (_) async throws in
            #expect(try await bench.take("lamp", lamp).value == .inactive)
            #expect(try await bench.drive("lamp", .active))
            #expect(try await bench.drive("lamp", .inactive))
            #expect(try bench.edges(13) == ["request m2m-keeper lamp", "level 1", "level 0", "level 1"])
        }
    }

    @Test("The keeper ends what has a deadline by itself, not before it, and says so")
    func deadline() async throws {
        try await live(["heater": heater]) { (_) async throws in
            _ = try await bench.take("heater", heater)
            var length: Duration = .milliseconds(200)
            var deadline = bench.time.now + length
            // On a machine that stood still meanwhile it comes too late, and nothing is done.
            while try await !bench.drive("heater", .active, until: deadline) {
                length = length + length
                deadline = bench.time.now + length
            }
            try await bench.news(.madeSafe("heater", .deadline))
            let end = try #require(try bench.moment("level 0", of: 5))
            #expect(end >= deadline)
            #expect(try bench.edges(5) == ["request m2m-keeper heater", "level 1", "level 0"])
            #expect(
                try await bench.take("heater", heater) == FoundOutput(value: .inactive, reason: .deadline))
        }
    }

    @Test("What comes too late is not done")
    func tooLate() async throws {
        try await live(["heater": heater]) { (_) async throws in
            _ = try await bench.take("heater", heater)
            #expect(try await !bench.drive("heater", .active, notAfter: bench.time.now))
            #expect(try await bench.drive("heater", .active, notAfter: bench.time.now + .seconds(3_600)))
            #expect(try bench.edges(5) == ["request m2m-keeper heater", "level 1"])
        }
    }

    @Test("An agent that lives is heard; one that gives no sign is told what became of its outputs")
    func silence() async throws {
        try await live(["heater": heater, "pump": pump]) { (_) async throws in
            for (id, plan) in [("heater", heater), ("pump", pump)] as [(ComponentID, OutputPlan)] {
                _ = try await bench.take(id, plan)
                #expect(try await bench.drive(id, .active))
            }
            bench.holder.beat()
            // From here on nothing is said. The pump is safe at once; the heater stays for an hour.
            try await bench.news(.madeSafe("pump", .agentSilent))
            #expect(try bench.edges(6) == ["request m2m-keeper pump", "level 1", "level 0"])
            #expect(try bench.edges(5) == ["request m2m-keeper heater", "level 1"])
            #expect(try await bench.drive("pump", .active))
        }
    }

    @Test("The agent is to be heard twice a second: four times in the time after which the keeper gives it up")
    func heartbeat() {
        #expect(bench.holder.heartbeat == .milliseconds(500))
    }

    @Test("A keeper that hangs is missed although nobody commands anything, and works again when it goes on")
    func hangs() async throws {
        try await live(["heater": heater]) { (keeper) async throws in
            _ = try await bench.take("heater", heater)
            #expect(try await bench.drive("heater", .active))
            try await bench.news(.back)
            keeper.signal(SIGSTOP)
            let watch = Task {
                while !Task.isCancelled {
                    bench.holder.beat()
                    await Task.yield()
                }
            }
            try await bench.news(.lost(nil, "the keeper did not answer in time"))
            watch.cancel()
            keeper.signal(SIGCONT)
            try await bench.news(.back)
            #expect(try await bench.take("heater", heater) == FoundOutput(value: .active))
            #expect(try await bench.drive("heater", .inactive))
        }
    }

    @Test("A keeper that is killed is missed at once, and its lines are taken anew when it is back")
    func killed() async throws {
        try await live(["heater": heater]) { (keeper) async throws in
            _ = try await bench.take("heater", heater)
            #expect(try await bench.drive("heater", .active))
            try await bench.news(.back)
            keeper.signal(SIGKILL)
            try await bench.news(\.isLossOfAll)
            await #expect(throws: HALError.self) { try await bench.drive("heater", .active) }
            #expect(bench.holder.notes.first?.hasPrefix("what the output lines do now is up to the kernel: ") == true)
            _ = await keeper.end()  // its socket may outlive its connections by a moment
            try bench.start()
            try await bench.news(.back)
            #expect(try await bench.take("heater", heater) == FoundOutput(value: .inactive, reason: .start))
            #expect(try await bench.drive("heater", .active))
            #expect(bench.holder.notes == [])
        }
    }

    @Test("A new agent finds an output as the one before left it, and the keeper does not touch its line")
    func newAgent() async throws {
        try await live(["heater": heater]) { (_) async throws in
            _ = try await bench.take("heater", heater)
            #expect(try await bench.drive("heater", .active))
        }
        let next = try KeeperBench(in: bench.folder)
        next.holder.configure(["heater": heater])
        try await next.live { () async throws in
            #expect(try await next.take("heater", heater, isPatient: true) == FoundOutput(value: .active))
            #expect(try await next.drive("heater", .active, until: next.time.now + .seconds(3_600)))
            #expect(try next.edges(5) == ["request m2m-keeper heater", "level 1"])
        }
    }

    @Test("A line that fails is not taken for safe: it can't be had until the keeper has made it so, which is told")
    func failingLine() async throws {
        try await live(["heater": heater]) { (_) async throws in
            _ = try await bench.take("heater", heater)
            #expect(try await bench.drive("heater", .active))
            try await bench.news(.back)
            try bench.folder.write("failing", "simulated-header:5\n")
            await #expect(throws: HALError.self) { try await bench.drive("heater", .inactive) }
            let error = await #expect(throws: HALError.self) { _ = try await bench.holder.take("heater", heater) }
            #expect(error?.description.contains("the line can't be driven") == true)
            unlink(bench.folder.file("failing"))
            // The one that failed first is told, and then that it works: it is safe by then.
            try await bench.news(.back)
            #expect(try await bench.take("heater", heater).value == .inactive)
            #expect(try await bench.drive("heater", .active))
        }
    }

    @Test("A line that fails when it is to leave safe is made safe, which is told as nothing that the keeper did to it")
    func failingToLeaveSafe() async throws {
        try await live(["heater": heater]) { (_) async throws in
            _ = try await bench.take("heater", heater)
            try await bench.news(.back)
            try bench.folder.write("failing", "simulated-header:5\n")
            await #expect(throws: HALError.self) { try await bench.drive("heater", .active) }
            unlink(bench.folder.file("failing"))
            try await bench.news(.back)
            #expect(bench.passed == [])
            #expect(try await bench.take("heater", heater) == FoundOutput(value: .inactive))
            #expect(try bench.edges(5).contains("failed 1") && !bench.edges(5).contains("level 1"))
            #expect(try await bench.drive("heater", .active))
        }
    }

    @Test("An agent that does not know its outputs yet touches none of those that the keeper holds")
    func notToldYet() async throws {
        try await live(["heater": heater]) { (_) async throws in
            _ = try await bench.take("heater", heater)
            #expect(try await bench.drive("heater", .active))
        }
        let table = try SafeFile.read(bench.table)
        let next = try KeeperBench(in: bench.folder)
        try await next.live { () async throws in
            await #expect(throws: HALError.self) { _ = try await next.holder.take("heater", heater) }
            #expect(try SafeFile.read(next.table) == table)
            #expect(try next.edges(5) == ["request m2m-keeper heater", "level 1"])
        }
    }

    @Test("A line that somebody else has is named with who it is, and the others are held")
    func busy() async throws {
        try await live(["heater": heater, "pump": pump], busy: "simulated-header:6:gpio-fan:-1") { (_) async throws in
            #expect(try await bench.take("heater", heater).value == .inactive)
            let error = await #expect(throws: HALError.self) { _ = try await bench.take("pump", pump) }
            #expect(error?.description.contains("held by \"gpio-fan\"") == true)
            #expect(error?.kind == .busy)
            #expect(try await bench.drive("heater", .active))
        }
    }

    @Test("An output whose line does not exist is told by name, and keeps no other from being held")
    func noSuchLine() async throws {
        let lost = KeeperBench.plan(99)
        try await live(["heater": heater, "lost": lost]) { (_) async throws in
            #expect(try await bench.take("heater", heater).value == .inactive)
            let error = await #expect(throws: HALError.self) { _ = try await bench.take("lost", lost) }
            #expect(error?.kind == .absent)
            #expect(error?.description.contains("GPIO99") == true)
        }
    }

    // MARK: Another table

    @Test("When the table changes, an output that is as before has no edge, and the others are taken as they are now")
    func tableChanges() async throws {
        try await live(["heater": heater, "pump": pump]) { (_) async throws in
            _ = try await bench.take("heater", heater)
            _ = try await bench.take("pump", pump)
            #expect(try await bench.drive("heater", .active))
            #expect(try await bench.drive("pump", .active))
            let moved = KeeperBench.plan(13)
            bench.holder.configure(["heater": heater, "pump": moved])
            #expect(try await bench.take("pump", moved) == FoundOutput(value: .inactive, reason: .start))
            #expect(try await bench.drive("pump", .active))
            #expect(try bench.edges(13) == ["request m2m-keeper pump", "level 1"])
            #expect(try bench.edges(6) == ["request m2m-keeper pump", "level 1", "level 0", "release"])
            #expect(try bench.edges(5) == ["request m2m-keeper heater", "level 1"])
            #expect(try await bench.drive("heater", .inactive))
            #expect(!bench.passed.contains { $0.isLossOfAll })
        }
    }

    @Test("A table that can't be written: outputs that are as before go on, the others wait, and it is told")
    func unwritableTable() async throws {
        try await live(["heater": heater, "pump": pump]) { (_) async throws in
            _ = try await bench.take("heater", heater)
            _ = try await bench.take("pump", pump)
            #expect(try await bench.drive("heater", .active))
            #expect(try await bench.drive("pump", .active))
            unlink(bench.table)
            mkdir(bench.table, 0o700)
            let moved = KeeperBench.plan(13)
            bench.holder.configure(["heater": heater, "lamp": moved, "pump": pump])
            await #expect(throws: HALError.self) { _ = try await bench.holder.take("lamp", moved) }
            #expect(bench.holder.notes.first?.hasPrefix("outputs that are new or have changed do not work: ") == true)
            #expect(bench.holder.notes.first?.contains("outputs.table") == true)
            #expect(try await bench.drive("heater", .inactive))
            #expect(try bench.edges(6) == ["request m2m-keeper pump", "level 1"])
            #expect(!bench.passed.contains { $0.isLossOfAll })
            rmdir(bench.table)
            #expect(try await bench.take("lamp", moved) == FoundOutput(value: .inactive, reason: .start))
            #expect(bench.holder.notes == [])
            #expect(try bench.edges(6) == ["request m2m-keeper pump", "level 1"])
        }
    }

    @Test("What leaves is given back by when the change is done")
    func givenBack() async throws {
        try await live(["heater": heater, "pump": pump]) { (_) async throws in
            _ = try await bench.take("pump", pump)
            bench.holder.configure(["heater": heater])
            await bench.holder.settled()
            #expect(try bench.edges(6) == ["request m2m-keeper pump", "release"])
        }
    }

    @Test("A keeper that reads another table is found out, and the right one is then as good as ever")
    func wrongTable() async throws {
        try bench.folder.write("other.table", KeeperTable([]).text)
        bench.holder.configure(["heater": heater])
        try await bench.live { () async throws in
            let wrong = try bench.start(table: bench.folder.file("other.table"))
            var notes = bench.holder.notes
            while notes.first?.contains("is that its --table?") != true {
                _ = try? await bench.holder.take("heater", heater)  // safe: it fails, after a while
                notes = bench.holder.notes
            }
            wrong.signal(SIGKILL)
            _ = await wrong.end()
            try await bench.news(\.isLossOfAll)
            try bench.start()
            _ = try await bench.take("heater", heater)
            #expect(try await bench.drive("heater", .active))
            // The connection lasts: nothing of the one before is left that would end it.
            for _ in 0..<50 {
                #expect(try await bench.holder.take("heater", heater).found == FoundOutput(value: .active))
            }
            while let news = bench.arrivals.takeIfWaiting() { #expect(!news.isLossOfAll) }
            #expect(try bench.edges(5) == ["request m2m-keeper heater", "level 1"])
        }
    }
}
