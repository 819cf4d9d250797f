import Components
import DeviceModel
import HAL
import TestSupport
import Testing

@testable import DeviceManager

/// What the agent learns late, or can't do at once, ends safe: a line that somebody else made safe is not switched on
/// again by a new end, and an off that could not be done is remembered.
struct OutputsRecoveryTests {
    private func heater(keeper: Bool = true, _ change: (inout OutputRules) -> Void = { _ in }) -> OutputsBench {
        OutputsBench(["heater": .safe(.inactive, change)], keeper: keeper)
    }

    // MARK: A new end

    @Test("What is to stay as it is, and only ends at another time, is kept and not driven")
    func kept() {
        var bench = heater()
        bench.call("heater", .on, lease: .held(.seconds(10)))
        #expect(bench.drives.map(\.isChange) == [true])
        #expect(bench.renew("heater", "lease", for: .seconds(20))?.status == .done)
        #expect(bench.drives.map(\.isChange) == [true, false])
        #expect(bench.drives.last?.until == bench.now + .seconds(20))
        #expect(bench.call("heater", .off)?.status == .done)
        #expect(bench.drives.map(\.isChange) == [true, false, true])
    }

    @Test("A new end that is refused, because the line is safe by now, fails, and nothing is switched on for it")
    func refused() {
        var bench = heater()
        bench.call("heater", .on, lease: .held(.seconds(10)))
        bench.isPrompt = false
        bench.change("heater", .inactive)
        let renewal = bench.send("heater", .on, lease: .held(.seconds(60)))
        #expect(bench.pending["heater"]?.isChange == false)
        bench.finish("heater")
        #expect(bench.outcomes[renewal] == CommandOutcome(.failed, "heater was made safe before"))
        #expect(bench.pending["heater"]?.value == .inactive)
        bench.finish("heater")
        #expect(bench.edges == 1)
        #expect(bench.reports["heater"]?.wanted == .inactive)
        #expect(bench.reports["heater"]?.holder == nil)
        #expect(bench.outputs.isSafe("heater"))
    }

    // MARK: News overtakes an answer

    /// Switched on, and word of it being made safe comes before the answer to the drive.
    private func overtaken() -> OutputsBench {
        var bench = heater()
        bench.isPrompt = false
        bench.send("heater", .on)
        bench.handle(.madeSafe("heater", .agentSilent))
        return bench
    }

    @Test("Word that an output was made safe, before the answer to its drive: that was done, and it is made safe")
    func newsFirst() {
        var bench = overtaken()
        #expect(bench.reports["heater"]?.wanted == .inactive)
        bench.finish("heater")
        #expect(bench.outcomes[1]?.status == .done)
        #expect(bench.pending["heater"]?.value == .inactive)
        #expect(bench.pending["heater"]?.isChange == true)
        bench.finish("heater")
        #expect(bench.reports["heater"]?.reason == "the keeper made it safe: the agent did not answer")
        #expect(bench.drives.count == 2)
    }

    @Test("Who wants it on after that word is told the truth: nobody knows before its holder was asked")
    func askedAndSafe() {
        var bench = overtaken()
        let again = bench.send("heater", .on, by: OutputsBench.anna)
        bench.finish("heater")
        bench.change("heater", .inactive)
        #expect(bench.outcomes[again] == nil)
        #expect(bench.pending["heater"]?.isChange == false)
        bench.finish("heater")
        #expect(bench.outcomes[again]?.status == .failed)
        bench.finish("heater")
        #expect(bench.edges == 1)
        #expect(bench.outputs.isSafe("heater"))
    }

    @Test("Where its holder says that it is on all the same, it stays on, and is not asked twice")
    func askedAndOn() {
        var bench = overtaken()
        let again = bench.send("heater", .on, by: OutputsBench.anna)
        bench.finish("heater")
        bench.finish("heater")
        #expect(bench.outcomes[again]?.status == .done)
        #expect(bench.drives.map(\.isChange) == [true, false])
        #expect(bench.pending.isEmpty)
        #expect(bench.edges == 1)
        #expect(bench.reports["heater"]?.value == .active)
    }

    // MARK: Lost on the way

    @Test("When a line is lost, what was begun may have been done, and what waited was not")
    func lost() {
        var bench = heater()
        bench.isPrompt = false
        let on = bench.send("heater", .on)
        let off = bench.send("heater", .off)
        bench.handle(.lost("heater", "the cable is gone"))
        #expect(
            bench.outcomes[on]
                == CommandOutcome(
                    .unknown, "heater was lost while it was switched, which may have been done: the cable is gone"))
        #expect(bench.outcomes[off] == CommandOutcome(.failed, "heater does not work: the cable is gone"))
        bench.isPrompt = true
        bench.find("heater", .active)
        #expect(bench.lines["heater"] == .inactive)
    }

    @Test("An on that waited behind an off when the line was lost has failed, and is nobody's word when it is back")
    func failedOn() {
        var bench = heater()
        bench.call("heater", .on)
        bench.isPrompt = false
        let off = bench.send("heater", .off)
        let on = bench.send("heater", .on, lease: .of(.seconds(3_600)), by: OutputsBench.anna)
        bench.handle(.lost("heater", "the keeper hangs"))
        #expect([off, on].map { bench.outcomes[$0]?.status } == [.unknown, .failed])
        bench.isPrompt = true
        bench.find("heater", .active)
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.reports["heater"]?.holder == nil)
    }

    @Test("An off that waited when the line was lost is remembered, also where an on waited behind it")
    func offBeforeOn() {
        var bench = heater()
        bench.call("heater", .on, lease: .held(.seconds(600)), by: OutputsBench.anna)
        bench.isPrompt = false
        bench.renew("heater", "lease", for: .seconds(900))
        let off = bench.send("heater", .off)
        let on = bench.send("heater", .on)
        bench.handle(.lost("heater", "the keeper hangs"))
        #expect([off, on].map { bench.outcomes[$0]?.status } == [.failed, .failed])
        bench.isPrompt = true
        bench.find("heater", .active)
        #expect(bench.lines["heater"] == .inactive)
    }

    @Test("A line that is taken twice while a new end is on its way does not begin its max_on anew")
    func takenTwice() {
        var bench = heater { rules in
            rules.maxOn = .seconds(1_800)
            rules.onLinkLost = .safe(after: .seconds(30))
        }
        bench.call("heater", .on, by: OutputsBench.anna)
        bench.pass(.seconds(1_740))
        let until = bench.drives.last?.until
        bench.handle(.lost("heater", "the keeper is gone"))
        bench.handle(.link(isUp: false))
        bench.isPrompt = false
        for _ in 0..<2 { bench.find("heater", .active, until: until) }
        #expect(bench.pending["heater"]?.isChange == false)
        bench.finish("heater")
        bench.isPrompt = true
        bench.handle(.link(isUp: true))
        bench.pass(.seconds(59))
        #expect(bench.lines["heater"] == .active)
        bench.pass(.seconds(1))
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.reports["heater"]?.reason.contains("max_on") == true)
    }

    @Test("Word that it was made safe may come before how it was found, which is then not believed")
    func newsBeforeFound() {
        var before = heater()
        before.call("heater", .on)
        var bench = OutputsBench(waiting: ["heater": .safe(.inactive)], journal: before.journal, at: before.now)
        bench.isPrompt = false
        bench.handle(.madeSafe("heater", .agentSilent))
        bench.find("heater", .active)
        bench.change("heater", .inactive)
        #expect(bench.pending["heater"]?.isChange == false)
        bench.finish("heater")
        bench.finish("heater")
        #expect(bench.edges == 0)
        #expect(bench.reports["heater"]?.value == .inactive)
        #expect(bench.outputs.isSafe("heater"))
    }

    @Test("A lease counts as ended whatever ended it")
    func leaseEnds() {
        let held = Lease.of(.seconds(600))
        var lost = heater()
        lost.call("heater", .on, lease: held)
        lost.handle(.lost("heater", "the cable is gone"))
        lost.call("heater", .off)
        #expect(lost.reports["heater"]?.counters.leaseEnds == 1)
        var stopped = heater(keeper: false)
        stopped.call("heater", .on, lease: held)
        stopped.handle(.stop)
        #expect(stopped.reports["heater"]?.counters.leaseEnds == 1)
        var hung = heater()
        hung.call("heater", .on, lease: held)
        hung.isPrompt = false
        hung.send("heater", .off)
        hung.pass(.seconds(3))
        #expect(hung.reports["heater"]?.counters.leaseEnds == 1)
    }

    @Test("A pulse that a command ends is counted, too; a lease is not where the command that would end it is too late")
    func leaseEndsOfCommands() {
        var pulse = heater()
        pulse.call("heater", .pulse(.seconds(60)))
        pulse.call("heater", .pulse(.seconds(30)))
        #expect(pulse.reports["heater"]?.counters.leaseEnds == 1)
        pulse.call("heater", .off)
        #expect(pulse.reports["heater"]?.counters.leaseEnds == 2)
        var late = heater()
        late.call("heater", .on, lease: .of(.seconds(5)))
        late.isPrompt = false
        late.renew("heater", "lease", for: .seconds(10))
        let off = late.send("heater", .off, within: .seconds(1))
        late.pass(.milliseconds(1_500))
        late.isPrompt = true
        late.finish("heater")
        #expect(late.outcomes[off]?.status == .expired)
        #expect(late.reports["heater"]?.counters.leaseEnds == 0)
        late.pass(.seconds(10))
        #expect(late.lines["heater"] == .inactive)
        #expect(late.reports["heater"]?.counters.leaseEnds == 1)
    }

    // MARK: Remembered

    @Test("An off that can't be done fails, and is done when the line is back", arguments: [OutputWish.off, .toggle])
    func remembered(_ wish: OutputWish) {
        var bench = heater()
        bench.call("heater", .on, lease: .of(.seconds(600)), by: OutputsBench.anna)
        bench.handle(.lost("heater", "the cable is gone"))
        #expect(bench.call("heater", wish) == CommandOutcome(.failed, "heater does not work: the cable is gone"))
        #expect(bench.reports["heater"]?.wanted == .inactive)
        #expect(bench.renew("heater", "lease", for: .seconds(600))?.status == .failed)
        bench.find("heater", .active)
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.reports["heater"]?.reason == "switched off by ben on the device")
        #expect(bench.reports["heater"]?.holder == nil)
    }

    @Test("An on that can't be done, or an off that came too late for that, is not remembered")
    func forgotten() {
        var bench = heater()
        bench.handle(.lost("heater", "the cable is gone"))
        for wish in [OutputWish.on, .toggle, .pulse(.seconds(1))] {
            #expect(bench.call("heater", wish)?.status == .failed)
        }
        bench.find("heater", .inactive)
        #expect(bench.drives.isEmpty)
        bench.call("heater", .on)
        bench.handle(.lost("heater", "the cable is gone"))
        #expect(bench.call("heater", .off, within: .zero)?.status == .expired)
        bench.find("heater", .active)
        #expect(bench.lines["heater"] == .active)
    }

    @Test("An off that can't be done is written down: the next agent makes the output safe")
    func rememberedOverRestart() {
        var before = heater()
        before.call("heater", .on)
        before.handle(.lost("heater", "the cable is gone"))
        before.call("heater", .off)
        var bench = OutputsBench(waiting: ["heater": .safe(.inactive)], journal: before.journal, at: before.now)
        bench.find("heater", .active)
        #expect(bench.lines["heater"] == .inactive)
    }

    @Test("An off before the line is there is done when it is, or by the agent after this one", arguments: [1, 2])
    func rememberedFromTheStart(agents: Int) {
        var before = heater()
        before.call("heater", .on)
        var bench = OutputsBench(waiting: ["heater": .safe(.inactive)], journal: before.journal, at: before.now)
        #expect(bench.call("heater", .off)?.status == .failed)
        if agents == 2 {
            bench = OutputsBench(waiting: ["heater": .safe(.inactive)], journal: bench.journal, at: bench.now)
        }
        bench.find("heater", .active)
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.reports["heater"]?.reason == "switched off by ben on the device")
    }

    @Test("An off for a line that hangs fails, and the line is safe as soon as it answers", arguments: [true, false])
    func rememberedWhileHanging(_ isTooLate: Bool) {
        var bench = heater()
        bench.isPrompt = false
        bench.send("heater", .on)
        bench.pass(.seconds(3))
        #expect(bench.call("heater", .off)?.status == .failed)
        bench.isPrompt = true
        bench.finish("heater", isTooLate: isTooLate)
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.reports["heater"]?.reason == "switched off by ben on the device")
    }

    // MARK: While the agent stops

    @Test("While the agent stops it switches nothing on, but what the keeper would leave on can still be switched off")
    func offWhileStopping() {
        var bench = heater { $0.onAgentLost = .hold(.seconds(60)) }
        bench.call("heater", .on, lease: .of(.seconds(600)), by: OutputsBench.anna)
        bench.handle(.stop)
        #expect(bench.lines["heater"] == .active)
        #expect(bench.call("heater", .on).isRefused("the agent is stopping"))
        #expect(bench.call("heater", .off)?.status == .done)
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.call("heater", .toggle).isRefused("the agent is stopping"))
        #expect(bench.edges == 2)
        #expect(bench.outputs.isSettled(keeps: false))
    }

    @Test("While the agent stops, an off is done however late its line is")
    func offBehindStop() {
        var bench = heater(keeper: false)
        bench.call("heater", .on)
        bench.isPrompt = false
        bench.handle(.stop)
        let off = bench.send("heater", .off)
        bench.finish("heater")
        #expect(bench.outcomes[off]?.status == .done)
        #expect(bench.lines["heater"] == .inactive)
    }
}
