import Components
import DeviceModel
import HAL
import TestSupport
import Testing

@testable import DeviceManager

/// Without the router, what it switched is safe after the time that was configured, and nothing else is touched; whoever
/// holds the lines is told that the agent lives for as long as that matters.
struct OutputsLinkTests {
    private static let rules = OutputRules.safe(.inactive) { $0.onLinkLost = .safe(after: .seconds(30)) }

    @Test("What came over the link is safe after its time without it, and the keeper knows when")
    func lost() {
        var bench = OutputsBench(["heater": Self.rules])
        bench.call("heater", .on, by: OutputsBench.anna)
        bench.handle(.link(isUp: false))
        #expect(bench.drives.last?.until == bench.now + .seconds(30))
        bench.pass(.seconds(30) - .nanoseconds(1))
        #expect(bench.lines["heater"] == .active)
        bench.pass(.nanoseconds(1))
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.reports["heater"]?.reason.contains("on_link_lost") == true)
    }

    @Test("A link that comes back in time ends the countdown, and the keeper knows that, too")
    func back() {
        var bench = OutputsBench(["heater": Self.rules])
        bench.call("heater", .on, by: OutputsBench.anna)
        bench.handle(.link(isUp: false))
        bench.pass(.seconds(29))
        bench.handle(.link(isUp: true))
        #expect(bench.drives.last?.until == nil)
        bench.pass(.seconds(600))
        #expect(bench.lines["heater"] == .active)
        #expect(bench.edges == 1)
        bench.handle(.link(isUp: false))
        bench.pass(.seconds(29))
        #expect(bench.lines["heater"] == .active)
    }

    @Test("A second word of its loss does not begin the countdown anew, and its return after it comes too late")
    func twice() {
        var bench = OutputsBench(["heater": Self.rules])
        bench.call("heater", .on, by: OutputsBench.anna)
        bench.handle(.link(isUp: false))
        bench.pass(.seconds(20))
        bench.handle(.link(isUp: false))
        bench.lapse(.seconds(10))
        bench.handle(.link(isUp: true))
        #expect(bench.lines["heater"] == .inactive)
    }

    @Test(
        "What was switched on the device stays",
        arguments: [
            OutputsBench.ben, .binding("switch"),
        ])
    func local(_ origin: Command.Origin) {
        var bench = OutputsBench(["heater": Self.rules])
        bench.call("heater", .on, by: origin)
        bench.handle(.link(isUp: false))
        bench.pass(.seconds(600))
        #expect(bench.lines["heater"] == .active)
    }

    @Test("Whoever switches it again on the device takes it over from the router")
    func takenOver() {
        var bench = OutputsBench(["heater": Self.rules])
        bench.call("heater", .on, by: OutputsBench.anna)
        bench.call("heater", .on)
        bench.handle(.link(isUp: false))
        bench.pass(.seconds(600))
        #expect(bench.lines["heater"] == .active)
        #expect(bench.edges == 1)
    }

    @Test("A value that is to stay without the router stays", arguments: [nil, OutputRules.LinkLoss.hold])
    func stays(_ loss: OutputRules.LinkLoss?) {
        var bench = OutputsBench(["heater": .safe(.inactive) { $0.onLinkLost = loss }])
        bench.call("heater", .on, by: OutputsBench.anna)
        bench.handle(.link(isUp: false))
        bench.pass(.seconds(1_000))
        #expect(bench.lines["heater"] == .active)
    }

    @Test("Never having been connected counts as lost from the start")
    func never() {
        var bench = OutputsBench(waiting: ["heater": Self.rules])
        bench.find("heater", .inactive)
        bench.pass(.seconds(10))
        bench.call("heater", .on, by: OutputsBench.anna)
        #expect(bench.drives.last?.until == bench.now + .seconds(20))
        bench.pass(.seconds(20))
        #expect(bench.lines["heater"] == .inactive)
    }

    @Test("An agent that crashes again and again counts on from the first loss")
    func crashes() {
        var bench = OutputsBench(["heater": Self.rules])
        bench.call("heater", .on, by: OutputsBench.anna)
        bench.handle(.link(isUp: false))
        let start = bench.now
        var journal = bench.journal
        for round in 1...5 {
            var next = OutputsBench(
                waiting: ["heater": Self.rules], journal: journal, at: start + .seconds(5 * round))
            next.find("heater", .active)
            #expect(next.lines["heater"] == .active)
            #expect(next.drives.last?.until == start + .seconds(30))
            journal = next.journal ?? journal
        }
        var last = OutputsBench(waiting: ["heater": Self.rules], journal: journal, at: start + .seconds(30))
        last.find("heater", .active)
        #expect(last.lines["heater"] == .inactive)
    }

    @Test("An agent that had a link when it died counts from its new start")
    func newStart() {
        var bench = OutputsBench(["heater": Self.rules])
        bench.call("heater", .on, by: OutputsBench.anna)
        var next = OutputsBench(
            waiting: ["heater": Self.rules], journal: bench.journal, at: bench.now + .seconds(3_600))
        next.find("heater", .active)
        #expect(next.drives.last?.until == next.now + .seconds(30))
        #expect(next.edges == 0)
    }

    // MARK: Heartbeats

    @Test("It says that it lives only while an output is away from safe, and at once when one begins to be")
    func beats() {
        var bench = OutputsBench(["heater": Self.rules, "valve": .safe(.active)])
        #expect(bench.beats == 0)
        #expect(bench.outputs.deadline == nil)
        bench.call("valve", .on)
        #expect(bench.beats == 0)
        bench.isPrompt = false
        bench.send("valve", .off)
        #expect(bench.beats == 1)
        bench.isPrompt = true
        bench.finish("valve")
        bench.pass(.seconds(10))
        #expect(bench.beats == 11)
        bench.call("valve", .on)
        bench.pass(.seconds(600))
        #expect(bench.beats <= 12)
        #expect(bench.outputs.deadline == nil)
    }

    @Test("Where nobody listens there are no heartbeats")
    func noBeats() {
        var bench = OutputsBench(["heater": Self.rules], keeper: false)
        bench.call("heater", .on)
        bench.pass(.seconds(10))
        #expect(bench.beats == 0)
        #expect(bench.outputs.deadline == nil)
    }
}
