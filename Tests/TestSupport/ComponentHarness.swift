public import Components
public import ConfigurationSchema
public import DeviceModel
public import HAL
import HALTestKit
import Logging

/// Runs one component on a board, gives it orders and takes what it reports.
public struct ComponentHarness: Sendable {
    /// The component.
    public let component: any Component
    /// What it reports.
    public let observations: Mailbox<Observation.Content>
    private let orders: Mailbox<Order>
    private let time: any TimeSource

    /// A component as its table in a configuration makes it.
    ///
    /// - Parameters:
    ///   - model: The model.
    ///   - id: The component's name.
    ///   - entries: The keys of its table.
    ///   - time: The clock.
    /// - Throws: ``HarnessError`` with what is wrong with the table.
    public init(
        _ model: any Component.Type, id: String = "component", _ entries: [String: Node.Value] = [:],
        time: any TimeSource
    ) throws {
        var findings = Findings(file: "test.toml")
        let start = Position(line: 1, column: 1)
        let table = Table(
            entries.sorted { $0.key < $1.key }.map {
                Table.Entry(key: $0.key, position: start, node: Node($0.value, at: start))
            })
        let checked = TableSchema(model.keys).check(table, name: "components.\(id)", at: start, &findings)
        if let checked { model.check(checked, &findings) }
        guard let checked, findings.isEmpty, let name = ComponentID(rawValue: id) else {
            throw HarnessError(description: findings.lines.joined(separator: "\n"))
        }
        component = model.init(id: name, configuration: checked)
        observations = Mailbox(bound: 10_000, policy: .refuseNewest)
        orders = Mailbox(bound: 16, policy: .refuseNewest)
        self.time = time
    }

    /// Runs the component while a test looks at it.
    ///
    /// - Parameters:
    ///   - board: The board.
    ///   - body: The test. The component is stopped when it is over.
    /// - Returns: The error with which the component ended by itself; nil: it ran until it was stopped.
    /// - Throws: What the test throws.
    @discardableResult
    public func run(on board: any Board, _ body: @Sendable () async throws -> Void) async throws -> (any Error)? {
        let port = ComponentPort(
            id: component.description.id, time: time, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            orders: orders, observe: { [observations] in observations.send($1) })
        let task = Task { () -> (any Error)? in
            do {
                try await component.run(on: board, port)
                return nil
            } catch is CancellationError {
                return nil
            } catch {
                observations.finish()
                return error
            }
        }
        do {
            try await body()
        } catch {
            task.cancel()
            _ = await task.value
            throw error
        }
        task.cancel()
        return await task.value
    }

    /// The next reading of a property.
    ///
    /// - Throws: ``HarnessError`` when the component ended before it.
    public func next(_ property: String) async throws -> Reading {
        while let content = await observations.next() {
            if case .reading(let reading) = content, reading.property == property { return reading }
        }
        throw HarnessError(description: "the component ended before it reported \(property)")
    }

    /// The names of the next events.
    ///
    /// - Throws: ``HarnessError`` when the component ended before them.
    public func events(_ count: Int) async throws -> [String] {
        var names: [String] = []
        while names.count < count {
            guard let content = await observations.next() else {
                throw HarnessError(description: "the component ended after \(names)")
            }
            if case .event(let event) = content { names.append(event.name) }
        }
        return names
    }

    /// Gives an order and waits for its end.
    ///
    /// - Parameters:
    ///   - action: What is to be done.
    ///   - parameters: How, in SI units.
    ///   - expiry: How long it may take to be begun.
    /// - Returns: How it ended, and why where it was not done.
    public func order(
        _ action: String, _ parameters: [String: Value] = [:], expiry: Duration = .seconds(10)
    ) async -> (CommandStatus, String?) {
        var generator = SystemRandomNumberGenerator()
        let command = Command(
            id: CommandID(using: &generator), component: component.description.id, action: action,
            parameters: parameters, deadline: time.now + expiry, origin: .router(account: "anna"))
        return await withCheckedContinuation { continuation in
            orders.send(Order(command) { continuation.resume(returning: ($0, $1)) })
        }
    }
}

/// What went wrong around a test.
public struct HarnessError: Error, CustomStringConvertible {
    /// In words.
    public let description: String

    /// Something went wrong.
    public init(description: String) {
        self.description = description
    }
}
