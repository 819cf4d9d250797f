import ConfigurationSchema
import DeviceManager
import DeviceModel
import HAL
import HALSimulated
import HALTestKit
import Logging
import ServiceLifecycle
import Synchronization
import TOMLFile
import TestSupport
import Testing

/// A device manager on a simulated board, with a store in memory and a clock that a test turns.
final class ManagedDevice: Sendable {
    let time = ManualTime()
    let board: SimulatedBoard
    let store = InMemoryStore()
    let manager: DeviceManager
    private let passedOver = Mutex<[Observation.Content]>([])

    init(_ components: String) throws {
        var findings = Findings(file: "agent.toml")
        let table = TOMLFile.parse(
            "[device]\nid = \"greenhouse\"\n[store]\ncommit_interval = \"100ms\"\n\(components)", &findings)
        guard let configuration = AgentConfiguration.read(table, &findings) else {
            throw HarnessError(description: findings.lines.joined(separator: "\n"))
        }
        board = SimulatedBoard(time: time)
        manager = DeviceManager(
            configuration, software: "test", board: board, outbox: store, log: store, notes: ["a note"], time: time,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Runs everything while a test looks at it, and shuts it down as a signal would.
    func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
        let group = ServiceGroup(
            configuration: .init(
                services: manager.services.map { .init(service: $0) },
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        time.allow(until: time.now + .seconds(8))  // readings wait for each other, but not for the test
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do {
                try await body()
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// The next thing of a kind that was stored; what is passed over can still be asked for.
    func next<Found>(_ find: (Observation.Content) -> Found?) async throws -> Found {
        while true {
            let found = passedOver.withLock { contents -> Found? in
                guard let index = contents.firstIndex(where: { find($0) != nil }) else { return nil }
                return find(contents.remove(at: index))
            }
            if let found { return found }
            guard let record = await store.stored.next() else {
                throw HarnessError(description: "the store was closed")
            }
            passedOver.withLock { $0.append(record.observation.content) }
        }
    }

    func reading(_ component: String, _ property: String) async throws -> Reading {
        try await next { content in
            if case .reading(let reading) = content, reading.component.rawValue == component,
                reading.property == property
            {
                reading
            } else {
                nil
            }
        }
    }

    func result() async throws -> CommandResult {
        try await next { content in if case .result(let result) = content { result } else { nil } }
    }

    func command(_ component: String, _ action: String, id: String, expiry: Duration = .seconds(10)) -> Command {
        Command(
            id: CommandID(stringLiteral: id), component: ComponentID(stringLiteral: component), action: action,
            deadline: time.now + expiry, origin: .local(uid: 0))
    }
}

private let switchAndHeater = """
    [components.switch]
    model = "button"
    line = "GPIO17"
    debounce = "0s"
    on_pressed = "heater toggle"
    [components.heater]
    model = "relay"
    line = "GPIO5"
    safe = "off"
    """

@Suite(.timeLimit(.minutes(1))) struct DeviceManagerTests {
    @Test func aButtonTogglesARelayThroughTheCommandRouter() async throws {
        let device = try ManagedDevice(switchAndHeater)
        try await device.run { () async throws in
            _ = try await device.reading("heater", "on")
            _ = try await device.reading("switch", "pressed")
            try device.board.drive(.name("GPIO17"), .active)
            let result = try await device.result()
            #expect(result.status == .done)
            #expect(result.action == "toggle")
            #expect(try device.board.look(at: .name("GPIO5")) == .active)
            try device.board.drive(.name("GPIO17"), nil)
            try device.board.drive(.name("GPIO17"), .active)
            #expect(try await device.result().status == .done)
            #expect(try device.board.look(at: .name("GPIO5")) == .inactive)
        }
    }

    @Test func aButtonWorksWhileTheDiskIsFull() async throws {
        let device = try ManagedDevice(switchAndHeater)
        try await device.run { () async throws in
            _ = try await device.reading("heater", "on")
            _ = try await device.reading("switch", "pressed")
            device.store.isFailing = true
            // A person's command too: what can't be written down is still done.
            let result = await device.manager.commands.perform(device.command("heater", "on", id: "a"))
            #expect(result.status == .done)
            #expect(try device.board.look(at: .name("GPIO5")) == .active)
            let again = await device.manager.commands.perform(device.command("heater", "on", id: "a"))
            #expect(again.status == .refused)
            device.store.isFailing = false
            device.time.allow(until: device.time.now + .seconds(60))
            // What happened meanwhile is stored when the disk is back.
            #expect(try await device.result().id.rawValue == "a")
        }
    }

    @Test func commandsAreCheckedAndAnswered() async throws {
        let device = try ManagedDevice(switchAndHeater)
        try await device.run { () async throws in
            _ = try await device.reading("heater", "on")
            let commands = device.manager.commands
            #expect(await commands.perform(device.command("heater", "on", id: "1")).status == .done)
            let cases: [(Command, CommandStatus, String)] = [
                (device.command("heater", "on", id: "1"), .refused, "was given before"),
                (device.command("heater", "explode", id: "2"), .refused, "has no action 'explode'"),
                (device.command("cellar", "on", id: "3"), .refused, "has no component 'cellar'; it has switch, heater"),
                (device.command("switch", "on", id: "4"), .refused, "takes no commands"),
                (device.command("heater", "on", id: "5", expiry: .zero), .expired, "too late"),
            ]
            for (command, status, words) in cases {
                let result = await commands.perform(command)
                #expect(result.status == status)
                #expect(result.reason?.contains(words) == true, "\(result)")
            }
            // Every result goes up like everything else.
            for _ in 0..<6 { _ = try await device.result() }
        }
    }

    @Test func outputsAreSafeAndToldSoAtTheEnd() async throws {
        let device = try ManagedDevice(switchAndHeater)
        try await device.run { () async throws in
            _ = try await device.reading("heater", "on")
            _ = await device.manager.commands.perform(device.command("heater", "on", id: "1"))
            #expect(try device.board.look(at: .name("GPIO5")) == .active)
        }
        #expect(try device.board.look(at: .name("GPIO5")) == .inactive)
        guard case .reading(let last) = device.store.all.last?.observation.content else { return #expect(Bool(false)) }
        #expect(last.component.rawValue == "heater")
        #expect(last.value == .boolean(false))
    }

    @Test func aSensorThatFailsIsReportedOnceAndHealsByItself() async throws {
        let device = try ManagedDevice("[components.climate]\nmodel = \"bmp280\"\n\(switchAndHeater)")
        let sensor = I2CAddress(0x76)
        device.board.buses[1]?.unplug(sensor)
        try await device.run { () async throws in
            let failed = try await device.reading("climate", "temperature")
            #expect(failed.quality == .failed)
            #expect(failed.reason?.contains("nothing answers at 0x76") == true)
            let status = await device.manager.status()
            #expect(status.components.first?.problem?.contains("0x76") == true)
            // Nothing else is stopped by it.
            #expect(await device.manager.commands.perform(device.command("heater", "on", id: "1")).status == .done)
            device.board.buses[1]?.replug(sensor)
            let healed = try await device.time.passing(by: .milliseconds(500)) {
                try await device.reading("climate", "temperature")
            }
            #expect(healed.quality == .good)
            #expect(await device.manager.status().components.first?.problem == nil)
            #expect(await device.manager.status().components.first?.failures ?? 0 >= 1)
        }
    }

    @Test func anActuatorThatDoesNotWorkAnswersAtOnce() async throws {
        let device = try ManagedDevice(switchAndHeater)
        try device.board.occupy(.name("GPIO5"), by: "another program")
        try await device.run { () async throws in
            let failed = try await device.reading("heater", "on")
            #expect(failed.quality == .failed)
            let result = await device.manager.commands.perform(device.command("heater", "on", id: "1"))
            #expect(result.status == .failed)
            #expect(result.reason?.contains("held by \"another program\"") == true)
        }
    }

    @Test func commandsThatACrashInterruptedAreTold() async throws {
        let device = try ManagedDevice(switchAndHeater)
        device.store.setInterrupted([CommandResult(of: device.command("heater", "on", id: "old"), .interrupted)])
        try await device.run { () async throws in
            let result = try await device.result()
            #expect(result.id.rawValue == "old")
            #expect(result.status == .interrupted)
        }
    }

    @Test func statusSaysWhatThereIs() async throws {
        let device = try ManagedDevice(switchAndHeater)
        try await device.run { () async throws in
            _ = try await device.reading("heater", "on")
            let status = await device.manager.status()
            #expect(status.device.rawValue == "greenhouse")
            #expect(status.link == nil)
            #expect(status.notes == ["a note"])
            #expect(status.components.map(\.model) == ["button", "relay"])
            let inventory = await device.manager.inventory()
            #expect(inventory.chips.first?.lines[17].consumer == "m2m switch")
        }
    }
}
