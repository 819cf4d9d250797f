public import Components
public import DeviceModel

/// A component as it was configured, ready to run.
public struct ComponentPlan: Sendable {
    /// Its name.
    public let id: ComponentID
    /// What runs.
    public let component: any Component
    /// What it has of the board for itself alone.
    public let resources: [BoardResource]
    /// What it is and can do, with its label.
    public internal(set) var description: ComponentDescription
    /// Which of its readings go up, by property.
    let filters: [String: ReportFilter.Settings]
    /// What its model was told, in one text whatever the order of the keys.
    let settings: String

    /// The output that it moves, where it moves one.
    public var output: OutputPlan? { (component as? any Actuator)?.output }

    /// Whether the same component would run; its label and what goes up may differ.
    func isSame(as other: ComponentPlan) -> Bool {
        (id, description.model, settings) == (other.id, other.description.model, other.settings)
    }
}
