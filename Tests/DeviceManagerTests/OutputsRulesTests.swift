import Components
import DeviceModel
import HAL
import TestSupport
import Testing

@testable import DeviceManager

/// Who may change an output is decided by the rules in their order: forced safe, safe by command, interlock, `min_on` and
/// `min_off`, and whoever holds it; a refusal names the rule, what is in the way, and when it will be possible.
struct OutputsRulesTests {
    /// A pump that everything forbids: its valve is on, it was just switched off, and somebody holds it.
    private func pumpWithEverythingInTheWay() -> OutputsBench {
        var bench = OutputsBench([
            "pump": .safe(.inactive) {
                $0.minOff = .seconds(30)
                $0.interlock = ["valve"]
            },
            "valve": .safe(.inactive),
        ])
        bench.call("pump", .on)
        bench.call("pump", .off, lease: .of(.seconds(600)), by: OutputsBench.anna)
        bench.call("valve", .on)
        return bench
    }

    @Test("Of several rules in the way, the first in their order is named: interlock, min_off, and who holds it")
    func order() {
        var bench = pumpWithEverythingInTheWay()
        #expect(bench.call("pump", .on).isRefused("interlock: valve is on", "possible as soon as it is off"))
        bench.call("valve", .off)
        #expect(bench.call("pump", .on).isRefused("min_off: pump has been off for 0 ms", "possible in 30 s"))
        bench.pass(.seconds(30))
        #expect(bench.call("pump", .on).isRefused("held: pump is held off by anna", "for another 10 min"))
        bench.pass(.seconds(570))
        #expect(bench.call("pump", .on)?.status == .done)
    }

    @Test("A command that is too late is told so before any rule, and one for a line that is missing that it is")
    func beforeTheRules() {
        var bench = pumpWithEverythingInTheWay()
        #expect(bench.call("pump", .on, within: .zero)?.status == .expired)
        bench.handle(.lost("pump", "the cable is gone"))
        let outcome = bench.call("pump", .on)
        #expect(outcome?.status == .failed)
        #expect(outcome?.reason?.contains("the cable is gone") == true)
    }

    @Test("A command to the safe value is done, whatever its time and whoever holds it", arguments: [true, false])
    func safe(_ isLeased: Bool) {
        var bench = OutputsBench(["heater": .safe(.inactive) { $0.minOn = .seconds(60) }])
        #expect(bench.call("heater", .on, lease: .held(.seconds(60)), by: OutputsBench.anna)?.status == .done)
        #expect(bench.call("heater", .off, lease: isLeased ? .of(.seconds(60), "other") : nil)?.status == .done)
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.renew("heater", "lease", for: .seconds(60)).isRefused("switched off by ben on the device"))
    }

    @Test("Each refusal is counted")
    func counted() {
        var bench = pumpWithEverythingInTheWay()
        bench.call("pump", .on)
        bench.call("pump", .on)
        #expect(bench.reports["pump"]?.counters.refusals == 2)
        #expect(bench.reports["pump"]?.counters.switches == 2)
    }

    @Test("A toggle is a command to what it is not, and to safe always possible")
    func toggle() {
        var bench = OutputsBench(["heater": .safe(.inactive) { $0.minOff = .seconds(10) }])
        #expect(bench.call("heater", .toggle)?.status == .done)
        #expect(bench.lines["heater"] == .active)
        #expect(bench.call("heater", .toggle)?.status == .done)
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.call("heater", .toggle).isRefused("min_off", "possible in 10 s"))
        #expect(bench.reports["heater"]?.reason == "switched off by ben on the device")
    }

    @Test("A pulse leaves safe for its time, and says so")
    func pulse() {
        var bench = OutputsBench(["valve": .safe(.active), "heater": .safe(.inactive)])
        for (id, away) in [("valve", LineValue.inactive), ("heater", .active)] as [(ComponentID, LineValue)] {
            #expect(bench.call(id, .pulse(.milliseconds(250)))?.status == .done)
            #expect(bench.lines[id] == away)
            #expect(bench.reports[id]?.until == bench.now + .milliseconds(250))
            bench.pass(.milliseconds(249))
            #expect(bench.lines[id] == away)
            bench.pass(.milliseconds(1))
            #expect(bench.lines[id] == away.toggled)
            #expect(bench.reports[id]?.reason == "the pulse of ben on the device is over")
        }
    }

    @Test("A command after a pulse takes its place: what was to end latches")
    func afterAPulse() {
        var bench = OutputsBench(["heater": .safe(.inactive)])
        bench.call("heater", .pulse(.seconds(1)))
        #expect(bench.call("heater", .on)?.status == .done)
        bench.pass(.seconds(600))
        #expect(bench.lines["heater"] == .active)
        #expect(bench.edges == 1)
    }

    @Test("An output that is not configured any more is named")
    func unknown() {
        var bench = OutputsBench(["heater": .safe(.inactive)])
        let outcome = bench.call("cooler", .on)
        #expect(outcome?.status == .failed)
        #expect(outcome?.reason == "cooler is not there any more")
        #expect(bench.renew("cooler", "lease", for: .seconds(1)).isRefused("cooler has no output"))
    }
}
