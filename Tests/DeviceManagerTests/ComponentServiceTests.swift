import Components
import ConfigurationSchema
import DeviceModel
import HAL
import HALSimulated
import HALTestKit
import Logging
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import DeviceManager

/// Promises that a component which leaves the configuration is waited for, but not for longer than it may take.
@Suite(.timeLimit(.minutes(1))) struct ComponentServiceTests {
    private let time = ManualTime()
    /// Where components hang that are given it.
    private let gate = Gate<ComponentID>(isShut: true)
    private let starts = Mailbox<ComponentID>(bound: 16, policy: .refuseNewest)
    /// Told of those that have hung and go on.
    private let ends = Mailbox<Void>(bound: 16, policy: .refuseNewest)
    /// The errors that are logged, with the components that they are about.
    private let log = LogLines(.error) { "\($0.message): \($0.metadata?["component.id"] ?? "nobody")" }

    private func plan(_ id: ComponentID, hangs: Bool = false) -> ComponentPlan {
        let component = Probe(id: id, gate: hangs ? gate : nil, starts: starts, ends: ends)
        return ComponentPlan(
            id: id, component: component, resources: [], description: component.description, filters: [:],
            settings: "")
    }

    /// Runs a service with components while a test looks at it; what hangs is let go in the end.
    ///
    /// - Returns: What the components have reported.
    @discardableResult
    private func run(
        _ plans: [ComponentPlan], opensGate: Bool = true, _ body: (ComponentService) async throws -> Void
    ) async throws -> ObservationHub {
        let device = DeviceDescription(id: "greenhouse", software: "test", components: plans.map(\.description))
        let hub = ObservationHub(device: device, filters: [:], time: time)
        let service = ComponentService(
            plans: plans, board: SimulatedBoard(time: time), hub: hub, time: time,
            logger: Logger(label: "test") { [log] _ in log })
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: service)], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        let running = Task { try await group.run() }
        for _ in plans { _ = await starts.next() }
        let result: Result<Void, any Error>
        do { result = .success(try await body(service)) } catch { result = .failure(error) }
        if opensGate { gate.open() }
        await group.triggerGracefulShutdown()
        try await running.value
        try result.get()
        return hub
    }

    @Test("One that ends when it is told to is not waited for any longer")
    func ends() async throws {
        try await run([plan("door")]) { service in
            let before = time.now
            await service.stop(["door"])
            #expect(time.now == before)
            #expect(service.desks.isEmpty)
            #expect(log.all.isEmpty)
        }
    }

    @Test("One that hangs is named and left behind after two seconds, and another one of its name runs in its place")
    func leftBehind() async throws {
        try await run([plan("door"), plan("pump", hangs: true)]) { service in
            #expect(await gate.hangs.next() == "pump")
            let before = time.now
            time.allow(until: before + .seconds(60))
            let outcomes = Mailbox<CommandOutcome>(bound: 1, policy: .refuseNewest)
            let command = Command(
                id: "1", component: "pump", action: "go", deadline: before + .seconds(60),
                origin: .local(uid: 0, user: "root"))
            service.desks["pump"]?.submit(command) { outcomes.send($0) }
            await service.stop(["pump"])
            #expect(await outcomes.next() == CommandOutcome(.failed, "pump hangs, and was left behind"))
            #expect(time.now == before + .seconds(2))
            #expect(log.all == ["component hangs, and is left behind: pump"])
            #expect(Set(service.desks.keys) == ["door"])
            await service.start([plan("pump")])
            #expect(await starts.next() == "pump")
            #expect(Set(service.desks.keys) == ["door", "pump"])
        }
    }

    @Test("When the agent stops, one that hangs is left behind as well")
    func leftBehindAtTheEnd() async throws {
        try await run([plan("door"), plan("pump", hangs: true)], opensGate: false) { _ in
            #expect(await gate.hangs.next() == "pump")
            time.allow(until: time.now + .seconds(60))
        }
        #expect(log.all == ["component hangs, and is left behind: pump"])
        gate.open()
    }

    @Test("One that was left behind and fails at last says nothing in the name of the one in its place")
    func lateFailure() async throws {
        let other = plan("pump")
        let hub = try await run([plan("pump", hangs: true)]) { service in
            #expect(await gate.hangs.next() == "pump")
            time.allow(until: time.now + .seconds(60))
            await service.stop(["pump"])
            await service.start([other])
            #expect(await starts.next() == "pump")
            gate.open()
            await ends.next()
            for _ in 0..<1_000 { await Task.yield() }
            #expect(service.status(other).problem == nil)
            #expect(service.status(other).failures == 0)
        }
        guard case .reading(let reading)? = hub.read(Address(component: "pump")).first?.content else {
            Issue.record("nothing is read of the pump")
            return
        }
        #expect(reading.quality == .good)
        #expect(reading.value == .boolean(true))
    }
}

/// A component that runs until it is stopped; or one that hangs, hears of nothing, and then fails.
private struct Probe: Component {
    static let model = "probe"
    static let summary = "What a test needs"
    static var keys: [any ConfigurationKey] { [] }

    let id: ComponentID
    var gate: Gate<ComponentID>?
    var starts = Mailbox<ComponentID>(bound: 16, policy: .refuseNewest)
    var ends = Mailbox<Void>(bound: 16, policy: .refuseNewest)

    init(id: ComponentID, gate: Gate<ComponentID>?, starts: Mailbox<ComponentID>, ends: Mailbox<Void>) {
        (self.id, self.gate, self.starts, self.ends) = (id, gate, starts, ends)
    }

    init(id: ComponentID, configuration: CheckedTable) {
        self.id = id
    }

    var description: ComponentDescription {
        let works = PropertyDescription("works", "Whether it works", type: .boolean)
        return ComponentDescription(id: id, model: Self.model, properties: [works])
    }

    func run(on board: any Board, _ port: ComponentPort) async throws {
        if gate == nil { port.report("works", .boolean(true)) }
        starts.send(id)
        guard let gate else { return try await port.untilStopped() }
        await gate.pass(id)
        port.report("works", .boolean(false))
        ends.send(())
        throw HarnessError(description: "the driver has given up")
    }
}
