import Components
import DeviceModel
import HAL
import TestSupport
import Testing

@testable import DeviceManager

/// `max_on`, `min_on`, `min_off` and interlocks keep what they say, to the nanosecond and for both sides, and are beaten
/// only by what forces an output safe.
struct OutputsLimitsTests {
    // MARK: Times

    @Test("max_on ends what is on, from the beginning of the drive, even where it is held and has to be on")
    func maxOn() {
        var bench = OutputsBench([
            "heater": .safe(.inactive) {
                $0.maxOn = .seconds(5)
                $0.minOn = .seconds(5)
            }
        ])
        bench.isPrompt = false
        bench.send("heater", .on, lease: .of(.seconds(60)))
        #expect(bench.pending["heater"]?.until == bench.now + .seconds(5))
        bench.pass(.milliseconds(500))
        bench.finish("heater")
        bench.isPrompt = true
        bench.pass(.milliseconds(4_499))
        #expect(bench.lines["heater"] == .active)
        bench.pass(.milliseconds(1))
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.reports["heater"]?.reason.contains("max_on") == true)
        #expect(bench.renew("heater", "lease", for: .seconds(60)).isRefused("it is not held any more: max_on"))
    }

    @Test("Whoever holds it for longer than max_on is told when that ends it")
    func maxOnBeforeLease() {
        var bench = OutputsBench(["heater": .safe(.inactive) { $0.maxOn = .seconds(5) }])
        let begin = bench.now
        bench.call("heater", .on, lease: .of(.seconds(60)))
        #expect(bench.reports["heater"]?.until == begin + .seconds(5))
        bench.call("heater", .off)
        bench.call("heater", .on, lease: .of(.seconds(3)))
        #expect(bench.reports["heater"]?.until == begin + .seconds(3))
    }

    @Test("A second command does not lengthen max_on")
    func maxOnOnceMore() {
        var bench = OutputsBench(["heater": .safe(.inactive) { $0.maxOn = .seconds(5) }])
        bench.call("heater", .on)
        bench.pass(.seconds(4))
        #expect(bench.call("heater", .on)?.status == .done)
        bench.pass(.seconds(1))
        #expect(bench.lines["heater"] == .inactive)
        bench.call("heater", .on)
        bench.pass(.milliseconds(4_999))
        #expect(bench.lines["heater"] == .active)
    }

    @Test("min_off begins with the line that was found, because nobody knows what was before")
    func minOffAfterBoot() {
        var bench = OutputsBench(waiting: ["heater": .safe(.inactive) { $0.minOff = .seconds(30) }])
        bench.pass(.seconds(100))
        bench.find("heater", .inactive, .start)
        bench.pass(.seconds(10))
        #expect(bench.call("heater", .on).isRefused("min_off: heater has been off for 10 s", "possible in 20 s"))
        bench.pass(.seconds(20) - .nanoseconds(1))
        #expect(bench.call("heater", .on).isRefused("min_off", "possible in 1 ms"))
        bench.pass(.nanoseconds(1))
        #expect(bench.call("heater", .on)?.status == .done)
    }

    @Test("min_off begins when the line is off, not when that was wanted")
    func minOffFromTheLine() {
        var bench = OutputsBench(["heater": .safe(.inactive) { $0.minOff = .seconds(1) }])
        bench.call("heater", .on)
        bench.isPrompt = false
        bench.send("heater", .off)
        bench.pass(.milliseconds(1_500))
        #expect(bench.call("heater", .on).isRefused("min_off", "possible in 1 s"))
        bench.finish("heater")
        bench.pass(.milliseconds(999))
        #expect(bench.call("heater", .on).isRefused("min_off"))
        bench.pass(.milliseconds(1))
        bench.isPrompt = true
        #expect(bench.call("heater", .on)?.status == .done)
    }

    @Test("min_on keeps an output that is safe when on from leaving it")
    func minOn() {
        var bench = OutputsBench(["valve": .safe(.active) { $0.minOn = .seconds(10) }])
        bench.call("valve", .off)
        bench.call("valve", .on)
        bench.pass(.seconds(4))
        #expect(bench.call("valve", .off).isRefused("min_on: valve has been on for 4 s", "possible in 6 s"))
        bench.pass(.seconds(6))
        #expect(bench.call("valve", .off)?.status == .done)
    }

    @Test("min_on never stands before a command to safe")
    func minOnAndSafe() {
        var bench = OutputsBench(["heater": .safe(.inactive) { $0.minOn = .seconds(600) }])
        bench.call("heater", .on)
        #expect(bench.call("heater", .off)?.status == .done)
    }

    @Test(
        "An on that is known to be too short for min_on is refused",
        arguments: [
            (OutputWish.pulse(.seconds(2)), nil, "2 s is less"), (.on, Lease.of(.seconds(2)), "2 s is less"),
            (.on, .held(.seconds(2)), nil), (.on, nil, nil), (.pulse(.seconds(3)), nil, nil),
            (.on, .of(.seconds(3)), nil),
        ] as [(OutputWish, Lease?, String?)])
    func tooShort(_ wish: OutputWish, _ lease: Lease?, _ words: String?) {
        var bench = OutputsBench(["pump": .safe(.inactive) { $0.minOn = .seconds(3) }])
        let outcome = bench.call("pump", wish, lease: lease)
        if let words {
            #expect(outcome.isRefused("min_on: pump has to be on for 3 s at least", words))
            #expect(bench.lines["pump"] == .inactive)
        } else {
            #expect(outcome?.status == .done)
        }
    }

    @Test("What is on already has been on for a while, even while its end is being changed")
    func longEnough() {
        var bench = OutputsBench(["pump": .safe(.inactive) { $0.minOn = .seconds(3) }])
        bench.call("pump", .on, lease: .of(.seconds(60)))
        bench.pass(.seconds(2))
        bench.isPrompt = false
        bench.renew("pump", "lease", for: .seconds(60))
        #expect(bench.pending["pump"]?.value == .active)
        bench.send("pump", .on, lease: .of(.seconds(1)))
        bench.finish("pump")
        #expect(bench.pending["pump"]?.until == bench.now + .seconds(1))
    }

    // MARK: Interlocks

    @Test("An interlock holds for both sides, whichever of them has it", arguments: [true, false])
    func interlock(_ isFirst: Bool) {
        let (one, two): (ComponentID, ComponentID) = isFirst ? ("up", "down") : ("down", "up")
        var bench = OutputsBench(["up": .safe(.inactive) { $0.interlock = ["down"] }, "down": .safe(.inactive)])
        #expect(bench.call(one, .on)?.status == .done)
        #expect(bench.call(two, .on).isRefused("interlock: \(one) is on", "possible as soon as it is off"))
        #expect(bench.call(one, .off)?.status == .done)
        #expect(bench.call(two, .on)?.status == .done)
    }

    @Test("The refusal says who holds the other side, and until when")
    func interlockHeld() {
        var bench = OutputsBench([
            "up": .safe(.inactive) { $0.interlock = ["down"] },
            "down": .safe(.inactive) { $0.interlockDelay = .seconds(2) },
        ])
        bench.call("up", .on, lease: .of(.seconds(20)), by: OutputsBench.anna)
        #expect(
            bench.call("down", .on).isRefused(
                "interlock: up is on, held by anna through the router", "possible in 22 s, or as soon as it is off",
                "and 2 s after that"))
    }

    @Test("Between the two there is the longer of their pauses, from when the line is safe", arguments: [true, false])
    func pause(_ isFirst: Bool) {
        let (one, two): (ComponentID, ComponentID) = isFirst ? ("up", "down") : ("down", "up")
        var bench = OutputsBench([
            "up": .safe(.inactive) {
                $0.interlock = ["down"]
                $0.interlockDelay = .milliseconds(300)
            },
            "down": .safe(.inactive) { $0.interlockDelay = .milliseconds(100) },
        ])
        bench.call(one, .on)
        bench.isPrompt = false
        bench.send(one, .off)
        bench.pass(.milliseconds(400))
        #expect(bench.call(two, .on).isRefused("interlock: \(one) is on"))
        bench.finish(one)
        bench.isPrompt = true
        bench.pass(.milliseconds(100))
        #expect(bench.call(two, .on).isRefused("interlock: \(one)", "100 ms", "possible in 200 ms"))
        bench.pass(.milliseconds(200))
        #expect(bench.call(two, .on)?.status == .done)
    }

    @Test("A pause is one between two: a third output does not lengthen it")
    func pauses() {
        var bench = OutputsBench([
            "left": .safe(.inactive) { $0.interlock = ["up", "down"] },
            "up": .safe(.inactive) { $0.interlockDelay = .seconds(10) }, "down": .safe(.inactive),
        ])
        bench.call("down", .pulse(.seconds(1)))
        bench.pass(.seconds(1))
        #expect(bench.call("left", .pulse(.seconds(1)))?.status == .done)
        bench.pass(.seconds(1))
        #expect(bench.call("up", .on).isRefused("interlock: left", "possible in 10 s"))
    }

    @Test("What a line without its cable is, nobody knows: the other side has to wait")
    func unknown() {
        var bench = OutputsBench(["up": .safe(.inactive) { $0.interlock = ["down"] }, "down": .safe(.inactive)])
        bench.handle(.lost("down", "the cable is gone"))
        #expect(bench.call("up", .on).isRefused("interlock: what down is, is not known", "the cable is gone"))
        bench.find("down", .inactive)
        #expect(bench.call("up", .on)?.status == .done)
    }

    @Test("What was just commanded counts, before its line has moved")
    func atOnce() {
        var bench = OutputsBench(["up": .safe(.inactive) { $0.interlock = ["down"] }, "down": .safe(.inactive)])
        bench.isPrompt = false
        bench.send("up", .on)
        #expect(bench.call("down", .on).isRefused("interlock: up is on"))
    }

    @Test("An output that is safe when on is interlocked from when it is on")
    func safeOn() {
        var bench = OutputsBench([
            "vent": .safe(.active) {
                $0.interlock = ["heater"]
                $0.interlockDelay = .seconds(1)
            },
            "heater": .safe(.inactive),
        ])
        bench.call("vent", .off)
        bench.isPrompt = false
        bench.send("vent", .on)
        bench.pass(.milliseconds(1_500))
        bench.finish("vent")
        #expect(bench.call("heater", .on).isRefused("interlock: vent", "possible in 1 s"))
    }
}
