import Client
import DeviceModel
import TestSupport
import Testing
import Wire

/// Promise: a command that comes too late is not done, whatever the clocks of router and device say; none is done twice;
/// where nobody knows whether it was done, nobody says that it was; and a lease ends without the router, too.
@Suite(.serialized, .timeLimit(.minutes(1))) struct StaleCommandTests {
    private static let tenYears: Duration = .seconds(10 * 365 * 86_400)

    @Test(
        "A command that is held back until its time is over is expired, and the line never moves; a fresh one works",
        arguments: [tenYears, .zero - tenYears])
    func stalled(_ deviceAhead: Duration) async throws {
        try await Stage.play(deviceAhead: deviceAhead) { stage in
            stage.proxy.down.shut()
            let result = try await stage.heldBack("late") {
                stage.device.pass(.seconds(30))
                stage.proxy.down.open()
            }
            #expect(result.status == .expired)
            #expect(try await stage.switches() == 0)
            #expect(try await stage.isOn() == false)
            // By now the same time has passed for the router, too.
            stage.router.pass(.seconds(30))
            #expect(try await stage.call("fresh").status == .done)
            #expect(try await stage.isOn() == true)
            #expect(try await stage.switches() == 1)
        }
    }

    @Test("Whoever gave it is told that nobody knows, before it arrives; what became of it is in the history")
    func givenUp() async throws {
        try await Stage.play(deviceAhead: Self.tenYears) { stage in
            stage.proxy.down.shut()
            let result = try await stage.heldBack("late") {
                for time in [stage.router, stage.device] { time.pass(.seconds(30)) }
            }
            #expect(result.status == .unknown)
            #expect(result.reason == "no answer came; it may have been done")
            stage.proxy.down.open()
            #expect(try await stage.end(of: "late") == .expired)
            #expect(try await stage.switches() == 0)
            #expect(try await stage.call("fresh").status == .done)
            #expect(try await stage.switches() == 1)
        }
    }

    @Test("A command that was done, and whose answer is lost, is unknown and not refused; the history knows it later")
    func lostAnswer() async throws {
        try await Stage.play(deviceAhead: .zero) { stage in
            stage.proxy.up.shut()
            let result = try await stage.heldBack("done") {
                while try await !stage.isOn() {}
                stage.router.pass(.seconds(30))
            }
            #expect(result.status == .unknown)
            #expect(result.reason == "no answer came; it may have been done")
            stage.proxy.up.open()
            #expect(try await stage.end(of: "done") == .done)
            #expect(try await stage.switches() == 1)
        }
    }

    @Test(
        "A lease ends on the device when not a byte comes through any more, and nobody hangs up",
        arguments: [Duration.milliseconds(200), .seconds(10)])
    func cutOff(_ lease: Duration) async throws {
        try await Stage.play(deviceAhead: .zero) { stage in
            #expect(try await stage.call("held", lease: Lease(id: "lease", duration: lease)).status == .done)
            for gate in [stage.proxy.up, stage.proxy.down] { gate.shut() }
            if lease > .seconds(1) {
                // The short one may be over before the gates are shut; the long one is not.
                #expect(try await stage.isOn())
                stage.device.pass(lease)
            }
            while try await stage.isOn() {}
            #expect(try await stage.value("lease_ends")?.numeric == 1)
            #expect(try await stage.value("reason") == .text("the lease of anna through the router has ended"))
        }
    }

    @Test("A command is done once: its id is refused when it comes again, also after a restart of the agent")
    func repeated() async throws {
        try await Stage.play(deviceAhead: .zero) { (stage) async throws in
            #expect(try await stage.call("once").status == .done)
            #expect(try await stage.call("off", action: "off").status == .done)
            #expect(try await stage.call("once") == Stage.refusal("once"))
            #expect(try await stage.isOn() == false)
            #expect(try await stage.switches() == 2)
        } afterRestart: { (stage) async throws in
            #expect(try await stage.call("once") == Stage.refusal("once"))
            #expect(try await stage.isOn() == false)
            #expect(try await stage.switches() == 0)
            #expect(try await stage.call("twice").status == .done)
        }
    }
}

/// A router, a device behind a proxy, and a person; router and device each with clocks of their own.
private struct Stage {
    let house: WholeHouse
    let session: StoredSession
    let proxy: StallingProxy
    let device: ShiftedTime
    let router: ShiftedTime

    private static let heater = Address(device: "greenhouse", component: "heater")

    /// What is said of an id that was there before.
    static func refusal(_ id: CommandID) -> CommandResult {
        CommandResult(
            id: id, component: "heater", action: "on", status: .refused,
            reason: "a command with this id was given before")
    }

    /// Plays with a device that is connected; after a restart of its agent once more.
    static func play(
        deviceAhead: Duration, _ play: @escaping @Sendable (Stage) async throws -> Void,
        afterRestart: (@Sendable (Stage) async throws -> Void)? = nil
    ) async throws {
        let house = try WholeHouse()
        let device = try ShiftedTime(boot: 1, ahead: .seconds(5_000), wallAhead: deviceAhead)
        let router = try ShiftedTime(boot: 2)
        try await house.withRouter(time: router) { address in
            try await StallingProxy.run(toPort: address.port) { proxy in
                let session = try await house.logIn(address)
                try await house.enrol(proxy.address, session)
                let stage = Stage(house: house, session: session, proxy: proxy, device: device, router: router)
                for act in [play, afterRestart].compactMap(\.self) {
                    try await house.withAgent(time: device) {
                        while try await !stage.isConnected() {}
                        try await act(stage)
                        // What is still held back would hold up the end.
                        for gate in [proxy.up, proxy.down] { gate.open() }
                    }
                }
            }
        }
    }

    // MARK: Far away

    /// Asks the router.
    private func ask(_ request: Request) async throws -> [Item] {
        var person = try await house.person(session)
        let items = try await person.ask(request)
        await person.close()
        return items
    }

    private func isConnected() async throws -> Bool {
        let items = try await ask(.devices)
        return items.contains { if case .device(let device) = $0 { device.isOnline } else { false } }
    }

    /// Gives a command through the router.
    func call(_ id: CommandID, action: String = "on", lease: Lease? = nil) async throws -> CommandResult {
        let items = try await ask(
            .call(CallRequest(id: id, address: Self.heater, action: action, expiry: .seconds(10), lease: lease)))
        guard case .observation(let report)? = items.first, case .result(let result) = report.content else {
            throw HarnessError(description: "no result: \(items)")
        }
        return result
    }

    /// Gives a command of which the device, or the router, will not hear for now.
    ///
    /// - Parameters:
    ///   - id: The command.
    ///   - body: What happens while it is on its way.
    /// - Throws: ``HarnessError`` when no result comes, and what `body` throws.
    /// - Returns: How it ended.
    func heldBack(_ id: CommandID, _ body: @Sendable () async throws -> Void) async throws -> CommandResult {
        try await withThrowingTaskGroup(of: CommandResult.self) { group in
            // Twice: that one of them is refused at once shows that the other one is on its way.
            for _ in 0..<2 { group.addTask { try await call(id) } }
            let refused = try await group.next()
            #expect(refused?.reason == "a command with this id is being done already")
            try await body()
            guard let result = try await group.next() else { throw HarnessError(description: "no result") }
            return result
        }
    }

    /// How a command ended, as soon as the router's history knows.
    func end(of id: CommandID) async throws -> CommandStatus {
        while true {
            for case .observation(let report) in try await ask(.history(HistoryQuery(Self.heater))) {
                if case .result(let result) = report.content, result.id == id { return result.status }
            }
        }
    }

    // MARK: On the device

    /// What a property of the heater is.
    func value(_ property: String) async throws -> Value? {
        var here = try await ClientConnection.local(house.socket)
        let items = try await here.ask(.read(Address(component: "heater", property: property)))
        await here.close()
        guard case .observation(let report)? = items.first, case .reading(let reading) = report.content else {
            throw HarnessError(description: "no reading: \(items)")
        }
        return reading.value
    }

    /// How often the relay was switched since the agent started.
    func switches() async throws -> Int {
        Int(try await value("switches")?.numeric ?? .nan)
    }

    /// Whether the relay is on.
    func isOn() async throws -> Bool {
        try await value("on") == .boolean(true)
    }
}
