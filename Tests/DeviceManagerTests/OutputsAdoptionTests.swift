import Components
import DeviceModel
import HAL
import TestSupport
import Testing

@testable import DeviceManager

/// A new run of the agent goes on from what it finds without an edge where it knows why, and makes safe what it does not
/// know; an agent that stops leaves only what somebody else keeps.
struct OutputsAdoptionTests {
    private static let rules: [ComponentID: OutputRules] = [
        "heater": .safe(.inactive) {
            $0.onAgentLost = .hold(.seconds(5))
            $0.maxOn = .seconds(60)
            $0.minOff = .seconds(10)
        },
        "pump": .safe(.inactive) { $0.minOff = .seconds(10) },
    ]

    /// A heater that anna holds for 30 s, and its journal.
    private func first() -> OutputsBench {
        var bench = OutputsBench(Self.rules)
        bench.call("heater", .on, lease: .of(.seconds(30)), by: OutputsBench.anna)
        return bench
    }

    private func second(after first: OutputsBench, boot: BootID = 1, in pause: Duration = .seconds(1)) -> OutputsBench {
        OutputsBench(waiting: Self.rules, journal: first.journal, boot: boot, at: first.now + pause)
    }

    @Test("What it knows is not touched: no edge, the same holder, the same end, and the same counters")
    func known() {
        let before = first()
        var bench = second(after: before)
        bench.find("heater", .active)
        bench.find("pump", .inactive)
        #expect(bench.edges == 0)
        #expect(bench.drives.allSatisfy { $0.component == "heater" && $0.value == .active })
        #expect(bench.drives.last?.until == before.now + .seconds(30))
        #expect(bench.reports["heater"]?.holder == "anna through the router")
        #expect(bench.reports["heater"]?.reason == before.reports["heater"]?.reason)
        #expect(bench.reports["heater"]?.counters == before.reports["heater"]?.counters)
        #expect(bench.renew("heater", "lease", for: .seconds(30))?.status == .done)
        bench.pass(.seconds(59))
        #expect(bench.lines["heater"] == .inactive)
    }

    @Test("What latches is not even told a time: no drive at all")
    func latched() {
        var before = OutputsBench(["pump": .safe(.inactive)])
        before.call("pump", .on)
        var bench = OutputsBench(waiting: ["pump": .safe(.inactive)], journal: before.journal, at: before.now)
        bench.find("pump", .active)
        bench.pass(.seconds(600))
        #expect(bench.drives.isEmpty)
        #expect(bench.reports["pump"]?.wanted == .active)
    }

    @Test("Whoever comes anew gives no more time than the holder of the line was given, and does not tell it anew")
    func until() {
        var before = OutputsBench(["pump": .safe(.inactive)])
        before.call("pump", .on)
        var bench = OutputsBench(waiting: ["pump": .safe(.inactive)], journal: before.journal, at: before.now)
        bench.find("pump", .active, until: bench.now + .seconds(5))
        #expect(bench.drives.isEmpty)
        bench.pass(.seconds(5))
        #expect(bench.lines["pump"] == .inactive)

        let held = first()
        var next = second(after: held)
        next.find("heater", .active, until: held.now + .seconds(30))
        #expect(next.drives.isEmpty)
    }

    @Test("An end that this run gave is none of a run before: taken anew, the output goes by its rules alone")
    func sameRun() {
        var bench = OutputsBench(["pump": .safe(.inactive) { $0.onLinkLost = .safe(after: .seconds(30)) }])
        bench.call("pump", .on, by: OutputsBench.anna)
        bench.handle(.link(isUp: false))
        let given = bench.drives.last?.until
        #expect(given == bench.now + .seconds(30))
        bench.handle(.lost("pump", "the keeper is away"))
        bench.handle(.link(isUp: true))
        bench.find("pump", .active, until: given)
        bench.pass(.seconds(60))
        #expect(bench.lines["pump"] == .active)
        #expect(bench.reports["pump"]?.until == nil)
        #expect(bench.edges == 1)
    }

    @Test("An end that the keeper was given before is no lease and no pulse, and is told as what it is")
    func given() {
        var before = OutputsBench(["pump": .safe(.inactive) { $0.maxOn = .seconds(1_800) }])
        before.call("pump", .on)
        var bench = OutputsBench(
            waiting: ["pump": .safe(.inactive) { $0.maxOn = .seconds(3_600) }], journal: before.journal, at: before.now)
        bench.find("pump", .active, until: before.drives.last?.until)
        #expect(bench.reports["pump"]?.until == nil)
        bench.pass(.seconds(1_800))
        #expect(bench.lines["pump"] == .inactive)
        #expect(bench.reports["pump"]?.reason == "the keeper ended it: its time was over")
        #expect(bench.reports["pump"]?.counters.leaseEnds == 0)
    }

    @Test("A line that does not answer when it is taken is told of, and comes back all the same")
    func silent() {
        var bench = OutputsBench(waiting: ["pump": .safe(.inactive)])
        #expect(bench.reports["pump"] == nil)
        bench.pass(.seconds(2))
        #expect(bench.reports["pump"]?.problem == "its line has not answered for 2s and more")
        #expect(bench.call("pump", .on)?.status == .failed)
        bench.find("pump", .inactive)
        #expect(bench.reports["pump"]?.problem == nil)
        #expect(bench.call("pump", .on)?.status == .done)
    }

    @Test("A line that is taken anew while a drive waits for it is driven once, as was last commanded")
    func takenAnew() {
        var bench = OutputsBench(["pump": .safe(.inactive)])
        bench.isPrompt = false
        let on = bench.send("pump", .on)
        bench.find("pump", .inactive, .start)
        #expect(bench.drives.count == 1)
        bench.finish("pump")
        #expect(bench.outcomes[on]?.status == .done)
        #expect(bench.lines["pump"] == .active)
        #expect(bench.drives.count == 1)
        #expect(bench.reports["pump"]?.wanted == .active)
    }

    @Test("A thousand new runs make no edge")
    func thousandRuns() {
        var bench = OutputsBench(["pump": .safe(.inactive)])
        bench.call("pump", .on)
        var journal = bench.journal
        var drives = 0
        for round in 1...1_000 {
            var next = OutputsBench(
                waiting: ["pump": .safe(.inactive)], journal: journal, at: bench.now + .seconds(round))
            next.find("pump", .active)
            drives += next.drives.count
            journal = next.journal ?? journal
        }
        #expect(drives == 0)
    }

    @Test("max_on counts on from before")
    func maxOn() {
        var before = OutputsBench(Self.rules)
        before.call("heater", .on)
        before.pass(.seconds(40))
        var bench = second(after: before)
        bench.find("heater", .active)
        #expect(bench.drives.last?.until == before.now + .seconds(20))
    }

    @Test("What has ended meanwhile is made safe at once")
    func ended() {
        var bench = second(after: first(), in: .seconds(31))
        bench.find("heater", .active)
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.reports["heater"]?.reason == "the lease of anna through the router has ended")
    }

    @Test("What is away from safe and unknown is made safe: another boot, no journal, or a damaged one")
    func unknown() {
        let before = first()
        let damaged = before.journal.map { OutputJournal(text: String($0.text.dropLast())) } ?? nil
        #expect(damaged == nil)
        for (journal, boot) in [(before.journal, 2), (nil, 1), (damaged, 1)] as [(OutputJournal?, BootID)] {
            var bench = OutputsBench(waiting: Self.rules, journal: journal, boot: boot)
            bench.find("heater", .active)
            #expect(bench.lines["heater"] == .inactive)
            #expect(bench.reports["heater"]?.reason == "found away from safe, and nobody knows why: made safe")
            #expect(bench.renew("heater", "lease", for: .seconds(1)).isRefused("nobody knows why"))
        }
    }

    @Test(
        "What the keeper made safe meanwhile stays so, says why, and waits for min_off from now on",
        arguments: [
            (KeeperReason.agentLost, "the keeper made it safe: the agent was gone", 1),
            (.agentSilent, "the keeper made it safe: the agent did not answer", 1),
            (.deadline, "the keeper ended it: its time was over", 0),
            (.start, "the keeper has been started anew, and holds it safe", 0),
        ])
    func madeSafe(_ reason: KeeperReason, _ words: String, _ interventions: Int) {
        var bench = second(after: first())
        bench.find("heater", .inactive, reason)
        #expect(bench.drives.isEmpty)
        #expect(bench.reports["heater"]?.reason == words)
        #expect(bench.reports["heater"]?.counters.interventions == interventions)
        #expect(bench.reports["heater"]?.counters.leaseEnds == 1)
        #expect(bench.call("heater", .on).isRefused("min_off: heater has been off for 0 ms"))
        #expect(bench.renew("heater", "lease", for: .seconds(1)).isRefused(words))
    }

    @Test("A pause that had begun goes on")
    func pause() {
        var before = OutputsBench(Self.rules)
        before.call("pump", .on)
        before.call("pump", .off)
        var bench = second(after: before, in: .seconds(4))
        bench.find("pump", .inactive)
        #expect(bench.call("pump", .on).isRefused("min_off: pump has been off for 4 s", "possible in 6 s"))
    }

    @Test("Of a change that the agent died in nobody knows whether it was done: its pause begins when it is found")
    func diedInAChange() {
        var before = OutputsBench(Self.rules)
        before.isPrompt = false
        before.send("pump", .on)
        before.send("pump", .off)
        var bench = second(after: before)
        bench.find("pump", .inactive, .agentLost)
        #expect(bench.call("pump", .on).isRefused("min_off: pump has been off for 0 ms"))
    }

    @Test("What was switched off and found on, because the agent died before the drive, is switched off")
    func offWasMeant() {
        var before = OutputsBench(["pump": .safe(.inactive)])
        before.call("pump", .on)
        before.isPrompt = false
        before.send("pump", .off)
        var bench = OutputsBench(waiting: ["pump": .safe(.inactive)], journal: before.journal, at: before.now)
        bench.find("pump", .active)
        #expect(bench.lines["pump"] == .inactive)
    }

    @Test("A lease on the safe value lives on")
    func heldSafe() {
        var before = OutputsBench(Self.rules)
        before.call("pump", .off, lease: .of(.seconds(600)), by: OutputsBench.anna)
        var bench = second(after: before)
        bench.find("pump", .inactive)
        #expect(bench.call("pump", .on).isRefused("held: pump is held off by anna through the router"))
    }

    @Test("Two that exclude each other and are found away from safe are both made safe")
    func bothAway() {
        var bench = OutputsBench(waiting: [
            "up": .safe(.inactive) { $0.interlock = ["down"] }, "down": .safe(.inactive),
        ])
        bench.isPrompt = false
        bench.find("up", .active)
        bench.find("down", .active)
        for id in ["up", "down"] as [ComponentID] {
            bench.finish(id)
            #expect(bench.lines[id] == .inactive)
        }
        #expect(bench.reports["down"]?.reason == "interlock: found away from safe together with up")
    }

    @Test("While a line has not been asked for yet, it fails, and whoever is interlocked with it waits")
    func notThereYet() {
        var bench = OutputsBench(waiting: [
            "up": .safe(.inactive) { $0.interlock = ["down"] }, "down": .safe(.inactive),
        ])
        bench.find("up", .inactive)
        #expect(
            bench.call("up", .on).isRefused(
                "interlock: what down is, is not known: down does not work: its line is not there yet"))
        #expect(bench.call("down", .on)?.reason?.contains("its line is not there yet") == true)
    }

    // MARK: The keeper acts while the agent lives

    @Test("What the keeper makes safe is so, counted, and not switched back")
    func keeperActs() {
        var bench = OutputsBench(Self.rules)
        bench.call("heater", .on)
        bench.handle(.madeSafe("heater", .agentSilent))
        #expect(bench.reports["heater"]?.value == .inactive)
        #expect(bench.reports["heater"]?.counters == OutputCounters(switches: 2, interventions: 1))
        #expect(bench.drives.count == 1)
        #expect(bench.call("heater", .on).isRefused("min_off"))
        // What is safe already is no news.
        bench.handle(.madeSafe("heater", .agentSilent))
        #expect(bench.reports["heater"]?.counters.interventions == 1)
    }

    @Test("Where the keeper was faster at the end of a lease, the lease is the reason")
    func keeperFaster() {
        var bench = first()
        bench.handle(.madeSafe("heater", .deadline))
        #expect(bench.reports["heater"]?.reason == "the lease of anna through the router has ended")
        #expect(bench.reports["heater"]?.counters.leaseEnds == 1)
    }

    // MARK: The end

    @Test("An agent that stops makes everything safe where nobody else keeps it, and refuses commands")
    func stop() {
        var bench = OutputsBench(Self.rules, keeper: false)
        bench.call("heater", .on)
        bench.isPrompt = false
        bench.handle(.stop)
        #expect(!bench.outputs.isSettled(keeps: false))
        #expect(bench.call("pump", .on).isRefused("the agent is stopping"))
        bench.finish("heater")
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.reports["heater"]?.reason == "the agent stops")
        #expect(bench.outputs.isSettled(keeps: false))
    }

    @Test("With a keeper, what may stay without the agent stays, and its journal knows it")
    func stopWithKeeper() {
        var bench = OutputsBench(Self.rules)
        bench.call("heater", .on, lease: .of(.seconds(30)))
        bench.call("pump", .on)
        bench.handle(.stop)
        #expect(bench.lines["heater"] == .active)
        #expect(bench.lines["pump"] == .inactive)
        #expect(bench.outputs.isSettled(keeps: true))
        var next = second(after: bench)
        next.find("heater", .active)
        next.find("pump", .inactive)
        #expect(next.edges == 0)
    }

    @Test("An output that leaves the configuration is made safe first, and then forgotten with its interlocks")
    func retire() {
        var bench = OutputsBench(["up": .safe(.inactive) { $0.interlock = ["down"] }, "down": .safe(.inactive)])
        bench.call("up", .on)
        bench.isPrompt = false
        bench.handle(.retire("up"))
        #expect(bench.call("up", .on)?.reason?.contains("its configuration is being changed") == true)
        #expect(!bench.outputs.isSafe("up"))
        bench.finish("up")
        #expect(bench.outputs.isSafe("up"))
        #expect(bench.reports["up"]?.reason == "its configuration was changed")
        bench.remove("up")
        bench.isPrompt = true
        #expect(bench.call("down", .on)?.status == .done)
        #expect(bench.journal?.entries["up"] == nil)
    }
}
