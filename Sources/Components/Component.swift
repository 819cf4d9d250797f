public import ConfigurationSchema
public import DeviceModel
public import HAL

/// A model of equipment: how it is configured, what it says of itself, and how it runs on a board.
///
/// A component knows its board, its port and nothing else. How to write one: Docs/AddingAComponent.md.
public protocol Component: Sendable {
    /// The name of the model, as `model = "…"` gives it in the configuration.
    static var model: String { get }
    /// One sentence about the model, for people.
    static var summary: String { get }
    /// The keys of its table in the configuration, beside those that all components have.
    static var keys: [any ConfigurationKey] { get }
    /// What can happen to it. A key `on_…` for each binds it to an action of another component.
    static var events: [EventDescription] { get }

    /// What it needs of the board, for itself alone.
    ///
    /// - Parameter configuration: Its table, in which keys may be wrong: ask ``CheckedTable/known(_:)``.
    /// - Returns: The resources, as far as they are known.
    static func resources(_ configuration: CheckedTable) -> [BoardResource]

    /// Finds what is wrong between keys that are right by themselves.
    static func check(_ configuration: CheckedTable, _ findings: inout Findings)

    /// A component as it was configured. No hardware is touched.
    ///
    /// - Parameters:
    ///   - id: Its name.
    ///   - configuration: Its table, checked against ``keys``.
    init(id: ComponentID, configuration: CheckedTable)

    /// What it is and can do.
    var description: ComponentDescription { get }
    /// Does what the component is there for, until the task is cancelled; what it holds is safe and given back then.
    ///
    /// - Parameters:
    ///   - board: The board.
    ///   - port: What connects it with everything else.
    /// - Throws: Whatever stops it. Its properties are then reported as `failed` with the error's words, and it is run
    ///   again after a pause that grows from try to try.
    func run(on board: any Board, _ port: ComponentPort) async throws
}

extension Component {
    /// Nothing can happen to it.
    public static var events: [EventDescription] { [] }

    /// It shares everything with everybody.
    public static func resources(_ configuration: CheckedTable) -> [BoardResource] { [] }

    /// Nothing is wrong between its keys.
    public static func check(_ configuration: CheckedTable, _ findings: inout Findings) {}
}

/// Something of a board that only one component can have.
public enum BoardResource: Hashable, Sendable, CustomStringConvertible {
    /// A GPIO line.
    case line(LineReference)
    /// A target on an I²C bus.
    case target(bus: Int, I2CAddress)

    /// The resource in words.
    public var description: String {
        switch self {
        case .line(let line): "line \(line)"
        case .target(let bus, let address): "\(address) on I²C bus \(bus)"
        }
    }
}
