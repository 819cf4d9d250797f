public import Components
public import DeviceModel

/// A component as it was configured, ready to run.
public struct ComponentPlan: Sendable {
    /// Its name.
    public let id: ComponentID
    /// What runs.
    public let component: any Component
    /// What it is and can do, with its label.
    public let description: ComponentDescription
    /// Which of its readings go up, by property.
    let filters: [String: ReportFilter.Settings]
}
