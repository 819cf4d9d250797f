import DeviceManager
import DeviceModel
import Glibc
import TestSupport
import Testing
import Wire

@testable import LocalAPI

/// On the device itself a person is answered as through the router, by the same messages; what only the router can do is
/// refused with the way to it.
@Suite(.timeLimit(.minutes(1))) struct LocalRequestTests {
    private let agent: LocalAgent

    init() throws {
        agent = try LocalAgent(TemporaryDirectory())
    }

    private func call(
        _ id: String, _ action: String, _ parameters: [String: Value] = [:], of component: ComponentID = "heater",
        expiry: Duration = Command.defaultExpiry
    ) -> Request {
        .call(
            CallRequest(
                id: CommandID(stringLiteral: id), address: Address(component: component), action: action,
                parameters: parameters, expiry: expiry))
    }

    private func result(_ items: [Item]) throws -> CommandResult {
        guard case .observation(let report)? = items.first, case .result(let result) = report.content, items.count == 1
        else { throw HarnessError(description: "no result: \(items)") }
        return result
    }

    private func values(_ items: [Item]) -> [String: Value] {
        var values: [String: Value] = [:]
        for case .observation(let report) in items {
            if case .reading(let reading) = report.content {
                values["\(reading.component).\(reading.property)"] = reading.value
            }
        }
        return values
    }

    /// Whether the heater says that it is on or off.
    private func isState(_ content: Observation.Content) -> Bool {
        guard case .reading(let reading) = content else { return false }
        return reading.component == "heater" && reading.property == "on"
    }

    // MARK: Looking

    @Test("Who I am is what the kernel says, and where is the device") func whoami() async throws {
        let agent = agent
        try await agent.run { () async throws in
            #expect(
                try await agent.ask(.whoami)
                    == [.account(AccountSummary(user: LocalAccess.name(of: getuid()), place: "greenhouse"))])
        }
    }

    @Test("The only device is this one, and it is there") func devices() async throws {
        let agent = agent
        try await agent.run { () async throws in
            let items = try await agent.ask(.devices)
            guard case .device(let device)? = items.first else {
                throw HarnessError(description: "no device")
            }
            #expect(items.count == 1)
            #expect(device.device == "greenhouse")
            #expect(device.label == "Gewächshaus")
            #expect(device.isOnline)
        }
    }

    @Test("The description is the device's own, of all components or of one") func describe() async throws {
        let agent = agent
        try await agent.run { () async throws in
            let own = agent.manager.description
            #expect(try await agent.ask(.describe(Address())) == [.description(own)])
            #expect(try await agent.ask(.describe(Address(device: "greenhouse"))) == [.description(own)])
            let heater = DeviceDescription(
                id: own.id, label: own.label, software: own.software,
                components: own.components.filter { $0.id == "heater" })
            #expect(try await agent.ask(.describe(Address(component: "heater"))) == [.description(heater)])
        }
    }

    @Test("The newest readings are those of all components, of one, or of one property; false is a value") func read()
        async throws
    {
        let agent = agent
        try await agent.run { () async throws in
            let button: [String: Value] = ["switch.pressed": .boolean(false)]
            let heater: [String: Value] = [
                "heater.on": .boolean(false), "heater.wanted": .boolean(false), "heater.holder": .text(""),
                "heater.until": .text(""), "heater.reason": .text("safe since the start"),
                "heater.switches": .integer(0), "heater.refusals": .integer(0), "heater.lease_ends": .integer(0),
                "heater.keeper_interventions": .integer(0),
            ]
            let both = button.merging(heater) { one, _ in one }
            #expect(values(try await agent.ask(.read(Address()))) == both)
            #expect(values(try await agent.ask(.read(Address(device: "greenhouse")))) == both)
            #expect(values(try await agent.ask(.read(Address(component: "heater")))) == heater)
            #expect(
                values(try await agent.ask(.read(Address(component: "heater", property: "on"))))
                    == ["heater.on": .boolean(false)])
        }
    }

    @Test("A name that is none here is told with those that are") func wrongNames() async throws {
        let agent = agent
        try await agent.run { () async throws in
            let cases: [(Address, String)] = [
                (Address(component: "cellar"), "there is no component 'cellar' here; there is switch, heater"),
                (
                    Address(component: "heater", property: "colour"),
                    "heater has no property 'colour'; it has on, wanted, holder, until, reason, switches, refusals, "
                        + "lease_ends, keeper_interventions"
                ),
                (Address(device: "shed"), "this is greenhouse; for shed log in to its router with `m2m login`"),
            ]
            for (address, words) in cases {
                let requests: [Request] = [.describe(address), .read(address), .watch(address)]
                for request in requests {
                    #expect(await agent.refusal(request) == Failure(.notFound, words), "\(request)")
                }
            }
            #expect(
                await agent.refusal(.history(HistoryQuery(Address(component: "cellar"))))?.code == .notFound)
        }
    }

    @Test("The past comes oldest first, the newest so many where a number is given") func history() async throws {
        let agent = agent
        try await agent.run { () async throws in
            for id in 1...4 { _ = try await agent.ask(call("\(id)", "toggle")) }
            let query = Address(component: "heater", property: "on")
            while agent.store.all.count(where: { isState($0.observation.content) }) < 5 {
                _ = await agent.store.stored.next()
            }
            let all = try await agent.ask(.history(HistoryQuery(query)))
            let states = all.compactMap { values([$0])["heater.on"] }
            #expect(states == [.boolean(false), .boolean(true), .boolean(false), .boolean(true), .boolean(false)])
            let numbers = all.compactMap { item in
                if case .observation(let report) = item { report.position?.sequence } else { nil }
            }
            #expect(numbers == numbers.sorted())
            #expect(numbers.count == 5)
            #expect(try await agent.ask(.history(HistoryQuery(query, limit: 2))) == all.suffix(2))
            #expect(try await agent.ask(.history(HistoryQuery(query, limit: 0))) == [])
        }
    }

    @Test("The status says how link, store and components are") func status() async throws {
        let agent = agent
        try await agent.run { () async throws in
            guard case .status(let status)? = try await agent.ask(.status).first else {
                throw HarnessError(description: "no status")
            }
            #expect(status.device == "greenhouse")
            #expect(status.software == "test")
            #expect(status.link == nil)
            #expect(status.notes.first?.hasPrefix("no keeper:") == true)
            #expect(status.components.map(\.id) == ["switch", "heater"])
        }
    }

    @Test("What is on the board is shown, with who holds it") func probe() async throws {
        let agent = agent
        try await agent.run { () async throws in
            guard case .inventory(let inventory)? = try await agent.ask(.probe).first else {
                throw HarnessError(description: "no inventory")
            }
            #expect(inventory.chips.first?.lines.first { $0.name == "GPIO17" }?.consumer == "m2m switch")
            #expect(inventory.chips.first?.lines.first { $0.name == "GPIO5" }?.consumer == "m2m heater")
        }
    }

    // MARK: Doing

    @Test("A command is done on the road that all commands take, and its result is the answer") func calls()
        async throws
    {
        let agent = agent
        try await agent.run { () async throws in
            let done = try result(try await agent.ask(call("1", "on")))
            #expect(done == CommandResult(id: "1", component: "heater", action: "on", status: .done))
            #expect(try agent.isHeating)
            let again = try result(try await agent.ask(call("1", "off")))
            #expect(again.status == .refused)
            #expect(again.reason?.contains("given before") == true)
            #expect(try agent.isHeating)
            #expect(try result(try await agent.ask(call("2", "off", expiry: .zero))).status == .expired)
            #expect(try agent.isHeating)
            let unknown = try result(try await agent.ask(call("3", "explode")))
            #expect(unknown.status == .refused)
            #expect(unknown.reason?.contains("has no action 'explode'") == true)
            #expect(try result(try await agent.ask(call("4", "pulse", ["duration": .number(-1)]))).status == .refused)
            #expect(try result(try await agent.ask(call("5", "on", of: "cellar"))).status == .refused)
            #expect(try result(try await agent.ask(call("6", "off"))).status == .done)
            #expect(try !agent.isHeating)
        }
    }

    @Test("A command for another device is not done here") func otherDevice() async throws {
        let agent = agent
        try await agent.run { () async throws in
            let call = CallRequest(id: "1", address: Address(device: "shed", component: "heater"), action: "on")
            #expect(await agent.refusal(.call(call))?.code == .notFound)
            #expect(try !agent.isHeating)
        }
    }

    @Test("A finger reaches the lines of a simulated board, and not those that the board drives itself") func drive()
        async throws
    {
        let agent = agent
        try await agent.run { () async throws in
            #expect(try await agent.ask(.drive(line: "GPIO17", isActive: true)) == [])
            while values(try await agent.ask(.read(Address(component: "switch"))))["switch.pressed"] != .boolean(true) {
                _ = await agent.store.stored.next()
            }
            #expect(await agent.refusal(.drive(line: "GPIO5", isActive: true))?.code == .busy)
            #expect(await agent.refusal(.drive(line: "GPIO99", isActive: true))?.code == .notFound)
            let nonsense = await agent.refusal(.drive(line: "pin 1", isActive: true))
            #expect(nonsense?.code == .badRequest)
            #expect(nonsense?.message.contains("'pin 1' is no line") == true)
        }
    }

    @Test("On a real board nobody drives lines from outside") func noFinger() async throws {
        let agent = agent
        try await agent.run(isSimulated: false) { () async throws in
            let refusal = await agent.refusal(.drive(line: "GPIO17", isActive: true))
            #expect(refusal?.code == .unsupported)
            #expect(refusal?.message.contains("real board") == true)
        }
    }

    @Test("Who may be a device is not decided here") func identity() async throws {
        let agent = agent
        try await agent.run { () async throws in
            for request in [
                Request.claim("shed"), .accept("shed", fingerprint: nil), .accept("shed", fingerprint: "f"),
                .revoke("shed"), .enable("shed"), .sessions, .endSession("a"), .audit(AuditQuery()),
            ] {
                let refusal = await agent.refusal(request)
                #expect(refusal?.code == .notPermitted)
                #expect(refusal?.message.contains("m2m login") == true)
            }
        }
    }
}
