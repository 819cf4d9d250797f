import Components
import DeviceModel
import HAL
import TestSupport
import Testing

@testable import DeviceManager

/// Promise: a disabled device makes its outputs safe at once, whatever holds them, and takes only commands to safe.
struct OutputsDisabledTests {
    @Test("What is on is made safe, whoever holds it, and the reason is told; off is taken, on is not")
    func disabled() {
        var bench = OutputsBench(["heater": .safe(.inactive), "pump": .safe(.active)])
        bench.call("heater", .on, lease: .held(.seconds(600)), by: OutputsBench.anna)
        bench.call("pump", .off)
        bench.handle(.disable("somebody was here"))
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.lines["pump"] == .active)
        #expect(bench.reports["heater"]?.reason == "the device is disabled: somebody was here")
        for origin in [OutputsBench.anna, OutputsBench.ben, .binding("switch")] {
            #expect(bench.call("heater", .on, by: origin).isRefused("disabled", "somebody was here"))
            #expect(bench.call("heater", .off, by: origin)?.status == .done)
        }
        #expect(bench.renew("heater", "lease", for: .seconds(10))?.status != .done)
        #expect(bench.lines["heater"] == .inactive)
    }

    @Test("min_on and a drive under way don't keep it from being safe")
    func underWay() {
        var bench = OutputsBench(["heater": .safe(.inactive) { $0.minOn = .seconds(600) }])
        bench.isPrompt = false
        let number = bench.send("heater", .on)
        bench.handle(.disable("for a test"))
        bench.finish("heater")
        bench.finish("heater")
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.outcomes[number]?.status != nil)
    }

    @Test("What is found away from safe after a restart is made safe, although its claim was written down")
    func found() {
        var before = OutputsBench(["heater": .safe(.inactive)])
        before.call("heater", .on, by: OutputsBench.anna)
        var bench = OutputsBench(
            waiting: ["heater": .safe(.inactive)], journal: before.journal, at: before.now + .seconds(1))
        bench.handle(.disable("for a test"))
        bench.find("heater", .active)
        #expect(bench.lines["heater"] == .inactive)
    }
}
