import ConfigurationSchema
import DeviceModel
import HAL
import HALSimulated
import HALTestKit
import Logging
import ServiceLifecycle
import Synchronization
import TOMLFile
import TestSupport

@testable import DeviceManager

/// A device manager on a simulated board, with a store in memory and a clock that a test turns.
final class ManagedDevice: Sendable {
    let time: ManualTime
    let board: SimulatedBoard
    /// The board as the manager sees it: its lines fail and hang when a test wants it.
    let harsh: HarshBoard
    let store = InMemoryStore()
    /// What the manager has to pass to reach the store: shut, its disk hangs.
    let gate = Gate<GatedStore.Call>()
    let manager: DeviceManager
    private let passedOver = Mutex<[Observation.Content]>([])
    private let lastID = Mutex(0)

    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A device.
    ///
    /// - Parameters:
    ///   - text: Its configuration, but for `[device]` and `[store]`.
    ///   - time: The clock.
    ///   - holder: Who holds the output lines; nil: the manager itself.
    ///   - journal: Where the outputs are written down; nil: nowhere.
    ///   - patience: How long a line may take. By default no test reaches that: time runs by itself here, and lines are
    ///     driven by a thread.
    /// - Throws: ``HarnessError`` with what is wrong with the configuration.
    init(
        _ text: String, time: ManualTime = ManualTime(), holder: (any OutputHolder)? = nil, journal: String? = nil,
        patience: Duration = .seconds(3_600)
    ) throws {
        self.time = time
        board = SimulatedBoard(time: time)
        harsh = HarshBoard(board)
        let gated = GatedStore(store: store, gate: gate)
        var world = DeviceManager.Surroundings(
            board: harsh, outbox: gated, log: gated, time: time, logger: Self.logger)
        world.holder = holder
        world.journal = journal.map { OutputJournalFile(path: $0) }
        world.patience = patience
        manager = DeviceManager(try Self.configuration(text), software: "test", in: world)
    }

    /// A device with a heater and a button.
    convenience init() throws {
        try self.init(
            """
            [components.heater]
            model = "relay"
            line = "GPIO5"
            safe = "off"
            [components.switch]
            model = "button"
            line = "GPIO17"
            debounce = "0s"
            """)
    }

    /// The checked configuration of a text.
    static func configuration(_ text: String) throws -> AgentConfiguration {
        var findings = Findings(file: "agent.toml")
        let table = TOMLFile.parse(
            "[device]\nid = \"greenhouse\"\n\(text)", &findings)
        guard var configuration = AgentConfiguration.read(table, &findings) else {
            throw HarnessError(description: findings.lines.joined(separator: "\n"))
        }
        // At once: what is to be stored must not have to wait for time that the test does not let pass.
        configuration.store.commitInterval = .zero
        return configuration
    }

    /// Runs everything while a test looks at it, and shuts it down as a signal would.
    ///
    /// - Parameters:
    ///   - body: The test.
    ///   - whileStopping: What a test does after the signal. Lines that hang are let go when all is over: nobody waits
    ///     for them.
    /// - Throws: What the test throws.
    func run(
        _ body: @escaping @Sendable () async throws -> Void,
        whileStopping: @escaping @Sendable () async throws -> Void = {}
    ) async throws {
        let group = ServiceGroup(
            configuration: .init(services: manager.services.map { .init(service: $0) }, logger: Self.logger))
        pass(.zero)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do {
                try await body()
            } catch {
                letGo()
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            do {
                try await whileStopping()
            } catch {
                letGo()
                throw error
            }
            try await tasks.waitForAll()
            letGo()
        }
    }

    /// Nothing hangs any more.
    private func letGo() {
        harsh.letGo()
        gate.open()
    }

    /// Lets time pass.
    ///
    /// A bit more is allowed, for whoever pauses between two tries. It is less than what outputs are given to become safe
    /// at the end, which would else be over at once.
    func pass(_ duration: Duration) {
        time.advance(by: duration)
        time.allow(until: time.now + .milliseconds(1_900))
    }

    // MARK: What was stored

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

    /// The next reading of a property.
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

    /// Waits for a reading with a value.
    func reading(_ component: String, _ property: String, _ value: Value) async throws {
        while try await reading(component, property).value != value {}
    }

    /// Waits until the reason why an output is as it is begins with some words.
    func reason(_ component: String, _ words: String) async throws {
        while true {
            let value = try await reading(component, "reason").value
            if case .text(let reason)? = value, reason.hasPrefix(words) { return }
        }
    }

    /// The next result of a command.
    func result(where isMeant: (CommandResult) -> Bool = { _ in true }) async throws -> CommandResult {
        try await next { content in
            if case .result(let result) = content, isMeant(result) { result } else { nil }
        }
    }

    /// All values of a property that were stored, oldest first.
    func stored(_ component: String, _ property: String) -> [Value?] {
        store.all.compactMap { record -> Value?? in
            guard case .reading(let reading) = record.observation.content, reading.component.rawValue == component,
                reading.property == property
            else { return nil }
            return .some(reading.value)
        }
    }

    /// What is read of a component now, by property.
    func values(_ component: String) -> [String: Value] {
        let reports = manager.observations.read(Address(component: ComponentID(stringLiteral: component)))
        return reports.reduce(into: [:]) { values, report in
            if case .reading(let reading) = report.content { values[reading.property] = reading.value }
        }
    }

    // MARK: Commands

    /// A command that is not given yet.
    func command(
        _ component: String, _ action: String, _ parameters: [String: Value] = [:], id: String,
        expiry: Duration = .seconds(10), by user: String = "root", lease: Lease? = nil
    ) -> Command {
        Command(
            id: CommandID(stringLiteral: id), component: ComponentID(stringLiteral: component), action: action,
            parameters: parameters, deadline: time.now + expiry, origin: .local(uid: 0, user: user), lease: lease)
    }

    /// Gives a command of somebody on the device, and waits for its end.
    func perform(
        _ component: String, _ action: String, _ parameters: [String: Value] = [:], expiry: Duration = .seconds(10),
        by user: String = "root", lease: Lease? = nil
    ) async -> CommandResult {
        let id = lastID.withLock { last in
            last += 1
            return "test-\(last)"
        }
        return await manager.commands.perform(
            command(component, action, parameters, id: id, expiry: expiry, by: user, lease: lease))
    }

    /// Gives a command that came over the link, and waits for its end.
    func performFromRouter(_ component: String, _ action: String) async -> CommandResult {
        var generator = SystemRandomNumberGenerator()
        return await manager.commands.perform(
            Command(
                id: CommandID(using: &generator), component: ComponentID(stringLiteral: component), action: action,
                deadline: time.now + .seconds(10), origin: .router(account: "anna")))
    }

    /// Lets a lease go on, or end.
    func renew(_ component: String, _ lease: LeaseID, _ duration: Duration) async -> CommandOutcome {
        await manager.commands.renew(
            LeaseRenewal(
                component: ComponentID(stringLiteral: component), lease: lease, duration: duration,
                deadline: time.now + .seconds(10)))
    }

    /// Returns when the output loop has done all that it was told before.
    func settled() async {
        // It answers in the order in which it is asked.
        _ = await renew("nobody", "none", .zero)
    }
}
