import Components
import DeviceModel
import HAL
import TestSupport
import Testing

@testable import DeviceManager

/// A lease is safe again at its end, whatever became of whoever made it; until then nobody else moves the output away
/// from safe, and is told who holds it and until when.
struct OutputsLeaseTests {
    @Test("What the keeper ended at an earlier time is not put down to the rule that holds by now") func earlierEnd() {
        var bench = OutputsBench(["heater": .safe(.inactive) { $0.maxOn = .seconds(1_800) }])
        bench.call("heater", .on, lease: .of(.seconds(5)), by: OutputsBench.anna)
        bench.isPrompt = false
        bench.lapse(.seconds(4))
        bench.call("heater", .on, lease: .of(.seconds(600)), by: OutputsBench.anna)
        bench.lapse(.seconds(1))
        bench.change("heater", .inactive)
        bench.handle(.madeSafe("heater", .deadline))
        #expect(bench.reports["heater"]?.reason == "the keeper ended it: its time was over")
    }

    private func heater(_ change: (inout OutputRules) -> Void = { _ in }) -> OutputsBench {
        OutputsBench(["heater": .safe(.inactive, change)])
    }

    @Test("A command without a lease latches, and is held by nobody")
    func latched() {
        var bench = heater()
        #expect(bench.call("heater", .on, by: OutputsBench.anna)?.status == .done)
        bench.pass(.seconds(1_000))
        #expect(bench.lines["heater"] == .active)
        #expect(bench.reports["heater"]?.holder == nil)
        #expect(bench.reports["heater"]?.until == nil)
        #expect(bench.reports["heater"]?.reason == "switched on by anna through the router")
        #expect(bench.call("heater", .off)?.status == .done)
    }

    @Test("A lease ends at its time, and whoever holds the line knows when")
    func ends() {
        var bench = heater()
        let end = bench.now + .milliseconds(200)
        bench.call("heater", .on, lease: .of(.milliseconds(200)), by: OutputsBench.anna)
        #expect(bench.drives.last?.until == end)
        #expect(bench.reports["heater"]?.holder == "anna through the router")
        #expect(bench.reports["heater"]?.until == end)
        #expect(bench.outputs.deadline.map { $0 <= end } == true)
        bench.pass(.milliseconds(200) - .nanoseconds(1))
        #expect(bench.lines["heater"] == .active)
        bench.pass(.nanoseconds(1))
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.reports["heater"]?.reason == "the lease of anna through the router has ended")
        #expect(bench.reports["heater"]?.holder == nil)
        #expect(bench.reports["heater"]?.counters.leaseEnds == 1)
    }

    @Test("Others are told who holds it and until when; their off is done all the same, and ends the lease")
    func others() {
        var bench = heater()
        bench.call("heater", .on, lease: .of(.seconds(30)), by: OutputsBench.anna)
        bench.pass(.seconds(12))
        #expect(
            bench.call("heater", .on).isRefused(
                "held: heater is held on by anna through the router for another 18 s",
                "switching it off is always possible"))
        #expect(bench.call("heater", .pulse(.seconds(1))).isRefused("held"))
        #expect(bench.call("heater", .on, lease: .of(.seconds(5), "mine")).isRefused("held"))
        #expect(bench.call("heater", .off)?.status == .done)
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.reports["heater"]?.counters.leaseEnds == 1)
        #expect(bench.call("heater", .on)?.status == .done)
    }

    @Test("Of a hold others are told that it goes on, and people no end")
    func hold() {
        var bench = heater()
        bench.call("heater", .on, lease: .held(.seconds(10)), by: OutputsBench.anna)
        #expect(bench.call("heater", .on).isRefused("for another 10 s, and goes on for as long as they hold it"))
        #expect(bench.reports["heater"]?.until == nil)
        #expect(bench.drives.last?.until == bench.now + .seconds(10))
    }

    @Test("A renewal goes on from now, without an edge, and whoever holds the line learns of it before the old end")
    func renewal() {
        var bench = heater()
        bench.call("heater", .on, lease: .held(.seconds(10)))
        for _ in 1...5 {
            let end = bench.now + .seconds(10)
            bench.pass(.seconds(3))
            #expect(bench.renew("heater", "lease", for: .seconds(10))?.status == .done)
            #expect(bench.drives.last?.until == bench.now + .seconds(10))
            #expect(bench.drives.last?.notAfter == end)
        }
        #expect(bench.edges == 1)
        bench.pass(.seconds(10))
        #expect(bench.lines["heater"] == .inactive)
    }

    @Test("A renewal may shorten a lease")
    func shorter() {
        var bench = heater()
        bench.call("heater", .on, lease: .held(.seconds(600)))
        #expect(bench.renew("heater", "lease", for: .seconds(1))?.status == .done)
        bench.pass(.seconds(1))
        #expect(bench.lines["heater"] == .inactive)
    }

    @Test("Its holder may let it go: it is safe then, and the answer comes when it is")
    func release() {
        var bench = heater()
        bench.call("heater", .on, lease: .held(.seconds(10)), by: OutputsBench.anna)
        bench.isPrompt = false
        #expect(bench.renew("heater", "lease", for: .zero) == nil)
        bench.isPrompt = true
        bench.finish("heater")
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.reports["heater"]?.reason == "let go by anna through the router")
        #expect(bench.outcomes.values.allSatisfy { $0.status == .done })
    }

    @Test("After its end a renewal is refused with why, also where the end was just now and nobody has looked yet")
    func afterItsEnd() {
        var bench = heater()
        bench.call("heater", .on, lease: .of(.seconds(1)))
        bench.lapse(.seconds(1))
        #expect(bench.renew("heater", "lease", for: .seconds(1)).isRefused("the lease of ben on the device has ended"))
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.renew("heater", "lease", for: .zero).isRefused("it is not held any more"))
    }

    @Test("Somebody else's lease is not renewed")
    func otherLease() {
        var bench = heater()
        bench.call("heater", .on, lease: .of(.seconds(1)))
        #expect(bench.renew("heater", "other", for: .seconds(60)).isRefused("it is not held any more"))
        #expect(bench.renew("heater", "other", for: .zero).isRefused("it is not held any more"))
        bench.pass(.seconds(1))
        #expect(bench.lines["heater"] == .inactive)
    }

    @Test("A renewal that is late, or for a line that is missing, is told so")
    func lateRenewal() {
        var bench = heater()
        bench.call("heater", .on, lease: .of(.seconds(60)))
        let late = LeaseRenewal(component: "heater", lease: "lease", duration: .seconds(60), deadline: bench.now)
        bench.handle(.renew(late, number: 100))
        #expect(bench.outcomes[100]?.status == .expired)
        bench.handle(.lost("heater", "the cable is gone"))
        #expect(bench.renew("heater", "lease", for: .seconds(60))?.status == .failed)
    }

    @Test("A renewal whose turn comes too late is told so, and the lease ends when it did before")
    func lateTurn() {
        var bench = heater()
        bench.call("heater", .on, lease: .of(.seconds(3)))
        bench.isPrompt = false
        #expect(bench.renew("heater", "lease", for: .seconds(4)) == nil)
        #expect(bench.renew("heater", "lease", for: .seconds(600), within: .seconds(1)) == nil)
        #expect(bench.reports["heater"]?.until == bench.now + .seconds(4))
        bench.pass(.milliseconds(1_500))
        bench.isPrompt = true
        bench.finish("heater")
        #expect(bench.outcomes[2]?.status == .done)
        #expect(bench.outcomes[3]?.status == .expired)
        #expect(bench.drives.last?.until == bench.now + .milliseconds(2_500))
        bench.pass(.milliseconds(2_500))
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.reports["heater"]?.reason == "the lease of ben on the device has ended")
    }

    @Test("A renewal whose lease has ended before its turn is refused, also where it holds the safe value")
    func endedBeforeItsTurn() {
        var bench = heater()
        bench.call("heater", .on)
        bench.isPrompt = false
        bench.send("heater", .off, lease: .of(.seconds(1)))
        bench.renew("heater", "lease", for: .seconds(60))
        bench.pass(.milliseconds(1_500))
        bench.isPrompt = true
        bench.finish("heater")
        #expect(bench.outcomes[2]?.status == .done)
        #expect(bench.outcomes[3].isRefused("it is not held any more"))
        #expect(bench.call("heater", .on, by: OutputsBench.anna)?.status == .done)
    }

    @Test("A renewal of a lease that its command did not bring, because it came too late, is refused")
    func leaseThatNeverWas() {
        var bench = heater()
        bench.isPrompt = false
        bench.send("heater", .on, by: OutputsBench.anna)
        bench.send("heater", .on, lease: .of(.seconds(60)), within: .seconds(1))
        bench.renew("heater", "lease", for: .seconds(60))
        bench.pass(.milliseconds(1_500))
        bench.isPrompt = true
        bench.finish("heater")
        #expect(bench.outcomes[2]?.status == .expired)
        #expect(bench.outcomes[3].isRefused("it is not held any more"))
        #expect(bench.reports["heater"]?.holder == nil)
    }

    @Test("A renewal that waits does not change the end that its holder has given since")
    func overtakenRenewal() {
        var bench = heater()
        bench.call("heater", .on, lease: .of(.seconds(10)))
        bench.isPrompt = false
        bench.renew("heater", "lease", for: .seconds(20))
        bench.renew("heater", "lease", for: .seconds(600))
        bench.send("heater", .on, lease: .of(.seconds(1)))
        bench.isPrompt = true
        bench.finish("heater")
        #expect(bench.drives.last?.until == bench.now + .seconds(1))
        #expect(bench.outcomes.values.allSatisfy { $0.status == .done } && bench.outcomes.count == 4)
    }

    @Test("Its holder may command again under the same lease, with a new end")
    func again() {
        var bench = heater()
        bench.call("heater", .on, lease: .of(.seconds(1)))
        #expect(bench.call("heater", .on, lease: .of(.seconds(5)))?.status == .done)
        bench.pass(.seconds(4))
        #expect(bench.lines["heater"] == .active)
        #expect(bench.edges == 1)
        bench.pass(.seconds(1))
        #expect(bench.lines["heater"] == .inactive)
        #expect(bench.reports["heater"]?.counters.leaseEnds == 1)
    }

    // MARK: Held safe

    @Test("An output can be held at its safe value: others move it only when that has ended")
    func heldSafe() {
        var bench = heater()
        #expect(bench.call("heater", .off, lease: .of(.seconds(60)), by: OutputsBench.anna)?.status == .done)
        #expect(bench.call("heater", .on).isRefused("held: heater is held off by anna through the router"))
        // Whoever switches it to where it is takes nothing away.
        #expect(bench.call("heater", .off)?.status == .done)
        #expect(bench.call("heater", .on).isRefused("held"))
        #expect(bench.call("heater", .off, lease: .of(.seconds(600), "mine")).isRefused("held"))
        #expect(bench.outputs.deadline == bench.now + .seconds(60))
        bench.pass(.seconds(60))
        #expect(bench.edges == 0)
        #expect(bench.call("heater", .on)?.status == .done)
    }

    @Test("Whoever switches it safe may hold it there, and keeps it where the keeper had just done the same")
    func takenSafe() {
        var bench = heater()
        bench.call("heater", .on, lease: .of(.seconds(1)), by: OutputsBench.anna)
        bench.isPrompt = false
        bench.send("heater", .off, lease: .of(.seconds(60), "mine"))
        bench.handle(.madeSafe("heater", .deadline))
        bench.isPrompt = true
        bench.finish("heater")
        #expect(bench.call("heater", .on, by: OutputsBench.anna).isRefused("held: heater is held off by ben"))
    }

    @Test("A lease that ends while a command under it is still to be done ends all the same")
    func endsWhileWaiting() {
        var bench = heater()
        bench.isPrompt = false
        let number = bench.send("heater", .on, lease: .of(.milliseconds(100)))
        bench.pass(.milliseconds(100))
        bench.finish("heater")
        #expect(bench.outcomes[number]?.status == .done)
        bench.finish("heater")
        #expect(bench.lines["heater"] == .inactive)
    }
}
