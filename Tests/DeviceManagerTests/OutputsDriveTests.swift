import Components
import DeviceModel
import HAL
import TestSupport
import Testing

@testable import DeviceManager

/// Lines take their time, come too late, hang and are lost: every command gets one honest answer, what was not done leaves
/// no trace, and what was forced safe stays so.
struct OutputsDriveTests {
    private func heater(_ change: (inout OutputRules) -> Void = { _ in }) -> OutputsBench {
        OutputsBench(["heater": .safe(.inactive, change)])
    }

    // MARK: Time runs out

    @Test("A command carries its deadline to the line; one that is there already needs none")
    func deadline() {
        var bench = heater()
        bench.call("heater", .on, within: .seconds(1))
        #expect(bench.drives.last?.notAfter == bench.now + .seconds(1))
        #expect(bench.call("heater", .on, within: .seconds(1))?.status == .done)
        #expect(bench.drives.count == 1)
    }

    @Test("What is given up when its line hangs must not be done later; what makes safe may")
    func patience() {
        var bench = heater()
        bench.call("heater", .on, within: .seconds(3_600))
        #expect(bench.drives.last?.notAfter == bench.now + Outputs.usualPatience)
        bench.call("heater", .off, within: .seconds(3_600))
        #expect(bench.drives.last?.notAfter == bench.now + .seconds(3_600))
    }

    @Test("A command whose time is over is not begun")
    func expired() {
        var bench = heater()
        let outcome = bench.call("heater", .on, within: .zero)
        #expect(outcome == CommandOutcome(.expired, "the command came too late and was not done"))
        #expect(bench.drives.isEmpty)
    }

    @Test("A drive that comes too late was never commanded: what held before holds again")
    func tooLate() {
        var bench = heater()
        bench.call("heater", .on, lease: .of(.seconds(600)), by: OutputsBench.anna)
        bench.isPrompt = false
        let off = bench.send("heater", .off)
        bench.finish("heater", isTooLate: true)
        #expect(bench.outcomes[off]?.status == .expired)
        #expect(bench.reports["heater"]?.holder == "anna through the router")
        #expect(bench.reports["heater"]?.wanted == .active)
        #expect(bench.pending.isEmpty)
        bench.isPrompt = true
        #expect(bench.renew("heater", "lease", for: .seconds(900))?.status == .done)
    }

    @Test("An on that comes too late leaves nothing that could end or forbid anything")
    func tooLateOn() {
        var bench = heater {
            $0.maxOn = .seconds(60)
            $0.minOff = .seconds(1)
        }
        bench.isPrompt = false
        bench.send("heater", .on, lease: .of(.seconds(30)), within: .seconds(1))
        bench.pass(.milliseconds(1_500))
        bench.finish("heater", isTooLate: true)
        #expect(bench.outputs.deadline == nil)
        #expect(bench.reports["heater"]?.reason == "safe since the start")
        bench.isPrompt = true
        #expect(bench.call("heater", .on, by: OutputsBench.anna)?.status == .done)
    }

    @Test("Of two commands that wait, the one whose time runs out is not done, and the other under its own name")
    func oneOfTwo() {
        var bench = heater()
        bench.call("heater", .on)
        bench.isPrompt = false
        let off = bench.send("heater", .off)
        let long = bench.send("heater", .on, by: OutputsBench.ben)
        let short = bench.send(
            "heater", .on, lease: .of(.seconds(60)), by: OutputsBench.anna, within: .milliseconds(100))
        bench.pass(.milliseconds(200))
        bench.finish("heater")
        #expect(bench.outcomes[off]?.status == .done)
        #expect(bench.outcomes[short]?.status == .expired)
        #expect(bench.outcomes[long] == nil)
        bench.finish("heater")
        #expect(bench.outcomes[long]?.status == .done)
        #expect(bench.reports["heater"]?.reason == "switched on by ben on the device")
        #expect(bench.reports["heater"]?.holder == nil)
    }

    @Test("A renewal does not carry a command that has run out of time")
    func renewalOfWhatIsLate() {
        var bench = heater()
        bench.call("heater", .on)
        bench.isPrompt = false
        bench.send("heater", .off)
        let on = bench.send("heater", .on, lease: .of(.seconds(60)), within: .milliseconds(100))
        bench.renew("heater", "lease", for: .seconds(60))
        bench.pass(.milliseconds(200))
        bench.finish("heater")
        #expect(bench.outcomes[on]?.status == .expired)
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.pending.isEmpty)
        #expect(bench.outcomes[4]?.status != .done)
    }

    @Test("A new end is not brought to a line that its old end has made safe meanwhile")
    func lateEnd() {
        var bench = heater()
        bench.call("heater", .on, lease: .held(.seconds(1)))
        bench.pass(.milliseconds(900))
        bench.isPrompt = false
        bench.renew("heater", "lease", for: .seconds(1))
        #expect(bench.pending["heater"]?.notAfter == bench.now + .milliseconds(100))
        bench.pass(.milliseconds(150))
        bench.isPrompt = true
        bench.finish("heater", isTooLate: true)
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.renew("heater", "lease", for: .seconds(1)).isRefused("its time was over"))
        #expect(bench.outcomes[2]?.status == .failed)
    }

    // MARK: One after the other

    @Test("While a drive is under way there is no second one, and the newest word follows it")
    func newest() {
        var bench = heater()
        bench.isPrompt = false
        let numbers = [OutputWish.on, .off, .on, .toggle].map { bench.send("heater", $0) }
        #expect(bench.drives.count == 1)
        bench.finish("heater")
        #expect(bench.drives.count == 2)
        bench.finish("heater")
        #expect(bench.lines["heater"] == .inactive)
        #expect(numbers.map { bench.outcomes[$0]?.status } == [.done, .done, .failed, .done])
        #expect(bench.outcomes[numbers[2]]?.reason == "another command came before heater could be switched")
    }

    @Test("Each output is driven by itself: one that takes its time keeps no other waiting")
    func beside() {
        var bench = OutputsBench(["heater": .safe(.inactive), "pump": .safe(.inactive)])
        bench.isPrompt = false
        bench.send("heater", .on)
        let pump = bench.send("pump", .on)
        bench.finish("pump")
        #expect(bench.outcomes[pump]?.status == .done)
    }

    @Test(
        "What is forced safe while it is being switched on is switched off after it; the command is done, and then over"
    )
    func forcedMeanwhile() {
        var bench = heater()
        bench.isPrompt = false
        let on = bench.send("heater", .pulse(.milliseconds(50)))
        bench.pass(.milliseconds(100))
        bench.finish("heater")
        #expect(bench.outcomes[on]?.status == .done)
        #expect(bench.pending["heater"]?.value == .inactive)
        #expect(bench.pending["heater"]?.notAfter == nil)
    }

    @Test("What waits to leave safe fails when the output is forced safe, and says why")
    func forcedBefore() {
        var bench = heater { $0.maxOn = .seconds(1) }
        bench.call("heater", .on)
        bench.isPrompt = false
        bench.send("heater", .off)
        let on = bench.send("heater", .on)
        bench.pass(.seconds(1))
        #expect(bench.outcomes[on]?.status == .failed)
        #expect(bench.outcomes[on]?.reason?.contains("heater was made safe before: max_on") == true)
    }

    @Test(
        "A command to safe that comes too late does not undo what has forced it safe meanwhile",
        arguments: ["stop", "retire", "keeper", "hang"])
    func staysForced(_ what: String) {
        var bench = heater()
        bench.call("heater", .on)
        bench.isPrompt = false
        bench.send("heater", .off, within: .seconds(1))
        switch what {
        case "stop": bench.handle(.stop)
        case "retire": bench.handle(.retire("heater"))
        case "keeper": bench.handle(.madeSafe("heater", .agentSilent))
        default: bench.pass(.seconds(2))
        }
        bench.isPrompt = true
        bench.finish("heater", isTooLate: true)
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.reports["heater"]?.wanted == .inactive)
        #expect(bench.outputs.isSafe("heater"))
    }

    // MARK: Lines that hang

    @Test("A line that does not answer in time: nobody knows what was done, and what waited was not")
    func hangs() {
        var bench = heater()
        bench.isPrompt = false
        let on = bench.send("heater", .on)
        let off = bench.send("heater", .off)
        bench.pass(.seconds(2) - .nanoseconds(1))
        #expect(bench.outcomes.isEmpty)
        bench.pass(.nanoseconds(1))
        #expect(bench.outcomes[on]?.status == .unknown)
        #expect(bench.outcomes[on]?.reason?.contains("it may have been done") == true)
        #expect(bench.outcomes[off]?.status == .failed)
        #expect(bench.reports["heater"]?.problem?.contains("has not answered") == true)
        #expect(bench.call("heater", .off)?.status == .failed)
        #expect(bench.renew("heater", "lease", for: .seconds(1))?.status == .failed)
    }

    @Test("When a line that hung answers, it is made safe, and works again", arguments: [true, false])
    func answersAtLast(_ isTooLate: Bool) {
        var bench = heater()
        bench.isPrompt = false
        bench.send("heater", .on)
        bench.pass(.seconds(5))
        #expect(bench.drives.count == 1)
        bench.isPrompt = true
        bench.finish("heater", isTooLate: isTooLate)
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.reports["heater"]?.problem == nil)
        #expect(bench.call("heater", .on)?.status == .done)
    }

    @Test("An answer to another drive than the one under way means nothing")
    func otherAnswer() {
        var bench = heater()
        bench.isPrompt = false
        let on = bench.send("heater", .on)
        bench.handle(.driven("heater", number: 77))
        bench.handle(.tooLate("heater", number: 77))
        #expect(bench.outcomes[on] == nil)
        bench.handle(.lost("heater", "the cable is gone"))
        bench.finish("heater")
        #expect(bench.outcomes[on]?.status == .unknown)
        #expect(bench.reports["heater"]?.value == .inactive)
    }

    // MARK: Lines that are lost

    @Test("A line that was lost is as it was, where it is found so again")
    func foundAgain() {
        var bench = heater()
        bench.call("heater", .on, lease: .of(.seconds(60)))
        bench.handle(.lost("heater", "the cable is gone"))
        #expect(bench.reports["heater"]?.problem == "the cable is gone")
        bench.pass(.seconds(10))
        bench.find("heater", .active)
        #expect(bench.reports["heater"]?.problem == nil)
        #expect(bench.edges == 1)
        bench.pass(.seconds(50))
        #expect(bench.lines["heater"] == .inactive)
    }

    @Test("What has ended while its line was gone is made safe when that is back")
    func endedMeanwhile() {
        var bench = heater()
        bench.call("heater", .on, lease: .of(.seconds(60)))
        bench.handle(.lost("heater", "the cable is gone"))
        bench.pass(.seconds(61))
        bench.find("heater", .active)
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.reports["heater"]?.reason == "the lease of ben on the device has ended")
    }

    @Test("A line that is found safe stays so, and says that it was lost")
    func foundSafe() {
        var bench = heater { $0.minOff = .seconds(10) }
        bench.call("heater", .on)
        bench.handle(.lost("heater", "the cable is gone"))
        bench.pass(.seconds(60))
        bench.find("heater", .inactive)
        #expect(bench.drives.count == 1)
        #expect(bench.reports["heater"]?.reason == "its line was lost: the cable is gone")
        #expect(bench.call("heater", .on).isRefused("min_off: heater has been off for 0 ms"))
    }

    @Test("A line that was lost while it was switched is off from when it is found, not from when it last was")
    func lostWhileDriven() {
        var bench = heater { $0.minOff = .seconds(10) }
        bench.isPrompt = false
        bench.send("heater", .on)
        bench.send("heater", .off)
        bench.handle(.lost("heater", "the cable is gone"))
        bench.find("heater", .inactive)
        #expect(bench.call("heater", .on).isRefused("min_off: heater has been off for 0 ms"))
    }
}
