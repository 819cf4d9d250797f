import DeviceManager
import DeviceModel
import HAL
import HALSimulated
import HALTestKit
import TestSupport
import Testing

private let line = LineReference.name("GPIO5")

/// Promises that whoever holds an output has it for themselves, that the hold ends when it was said to, and that
/// everybody may make it safe meanwhile.
@Suite(.timeLimit(.minutes(1))) struct OutputLeaseTests {
    private let device: ManagedDevice

    init() throws {
        device = try ManagedDevice()
    }

    private func lease(_ id: LeaseID = "a", _ duration: Duration = .seconds(60), isRenewed: Bool = false) -> Lease {
        Lease(id: id, duration: duration, isRenewed: isRenewed)
    }

    @Test("A lease ends by itself, and the output is safe then")
    func ends() async throws {
        let device = device
        try await device.run { () async throws in
            try await device.reading("heater", "on", .boolean(false))
            let begin = device.time.now
            #expect(await device.perform("heater", "on", by: "anna", lease: lease()).status == .done)
            device.time.advance(by: begin + .milliseconds(59_999) - device.time.now)
            await device.settled()
            #expect(try device.board.look(at: line) == .active)
            device.pass(.seconds(2))
            try await device.reading("heater", "reason", .text("the lease of anna on the device has ended"))
            try await device.reading("heater", "switches", .integer(2))
            #expect(try device.board.look(at: line) == .inactive)
            await device.settled()
            #expect(device.values("heater")["lease_ends"] == .integer(1))
        }
    }

    @Test("While somebody holds it others are told who and for how long; to make it safe is everybody's right")
    func othersAreRefused() async throws {
        let device = device
        try await device.run { () async throws in
            try await device.reading("heater", "on", .boolean(false))
            #expect(await device.perform("heater", "on", by: "anna", lease: lease()).status == .done)
            for other in [nil, lease("b")] {
                let refused = await device.perform("heater", "on", by: "ben", lease: other)
                #expect(refused.status == .refused)
                let words = try #require(refused.reason)
                #expect(words.hasPrefix("held: heater is held on by anna on the device for another "))
                #expect(words.hasSuffix(" s; switching it off is always possible"))
            }
            #expect(try device.board.look(at: line) == .active)
            #expect(await device.perform("heater", "off", by: "ben").status == .done)
            #expect(try device.board.look(at: line) == .inactive)
            await device.settled()
            #expect(device.values("heater")["holder"] == .text(""))
            #expect(await device.perform("heater", "on", by: "ben").status == .done)
        }
    }

    @Test("A hold that is renewed has no end that is told, and ends when the renewals do")
    func held() async throws {
        let device = device
        try await device.run { () async throws in
            try await device.reading("heater", "on", .boolean(false))
            let hold = lease("a", .seconds(10), isRenewed: true)
            #expect(await device.perform("heater", "on", by: "anna", lease: hold).status == .done)
            await device.settled()
            #expect(device.values("heater")["until"] == .text(""))
            let refused = await device.perform("heater", "on", by: "ben")
            #expect(refused.reason?.contains("and goes on for as long as they hold it") == true)
            for _ in 0..<5 {
                device.time.advance(by: .seconds(8))
                #expect(await device.renew("heater", "a", .seconds(10)).status == .done)
                #expect(try device.board.look(at: line) == .active)
            }
            #expect(try device.board.switches(of: line) == 1)
            device.pass(.seconds(10))
            try await device.reading("heater", "reason", .text("the lease of anna on the device has ended"))
            try await device.reading("heater", "switches", .integer(2))
            #expect(try device.board.look(at: line) == .inactive)
            let late = await device.renew("heater", "a", .seconds(10))
            #expect(late.status == .refused)
            #expect(late.reason == "it is not held any more: the lease of anna on the device has ended")
            #expect(try device.board.look(at: line) == .inactive)
        }
    }

    @Test("A hold that is let go is safe when that is answered")
    func released() async throws {
        let device = device
        try await device.run { () async throws in
            try await device.reading("heater", "on", .boolean(false))
            #expect(await device.perform("heater", "on", by: "anna", lease: lease()).status == .done)
            #expect(await device.renew("heater", "someone's", .zero).status == .refused)
            #expect(try device.board.look(at: line) == .active)
            #expect(await device.renew("heater", "a", .zero).status == .done)
            #expect(try device.board.look(at: line) == .inactive)
            await device.settled()
            #expect(device.values("heater")["reason"] == .text("let go by anna on the device"))
        }
    }

    @Test("What has no output can't be held, and what holds nothing can't be renewed")
    func nothingToHold() async throws {
        let device = device
        try await device.run { () async throws in
            try await device.reading("heater", "on", .boolean(false))
            let button = await device.perform("switch", "on", lease: lease())
            #expect(button.status == .refused)
            #expect(button.reason == "switch has no output that could be held")
            for component in ["switch", "cellar"] {
                let renewal = await device.renew(component, "a", .seconds(10))
                #expect(renewal == CommandOutcome(.refused, "\(component) has no output that could be held"))
            }
            #expect(await device.renew("heater", "a", .seconds(10)).status == .refused)
        }
    }

    @Test("A pulse ends by itself, so that one with a lease is refused; so is a lease of no length")
    func senseless() async throws {
        let device = device
        try await device.run { () async throws in
            try await device.reading("heater", "on", .boolean(false))
            let pulse = await device.perform("heater", "pulse", ["duration": .number(2)], lease: lease())
            #expect(pulse.status == .refused)
            #expect(pulse.reason == "a pulse ends by itself: give it without a lease")
            for duration in [Duration.zero, .milliseconds(9), .seconds(8 * 86_400)] {
                let refused = await device.perform("heater", "on", lease: lease("a", duration))
                #expect(refused.status == .refused)
                #expect(refused.reason?.hasPrefix("a lease lasts from 10ms to 7d, not ") == true)
            }
            #expect(try device.board.switches(of: line) == 0)
        }
    }
}
