/// What a device is: its name and its components.
public struct DeviceDescription: Hashable, Sendable {
    /// The device's name.
    public var id: DeviceID
    /// What people call it; nil: its name.
    public var label: String?
    /// The program that speaks for it, such as `m2m-agent 0.1.0`.
    public var software: String
    /// Its components, in the order of the configuration.
    public var components: [ComponentDescription]

    /// A description of a device.
    public init(id: DeviceID, label: String? = nil, software: String, components: [ComponentDescription]) {
        self.id = id
        self.label = label
        self.software = software
        self.components = components
    }

    /// The component of a name, if there is one.
    public func component(_ id: ComponentID) -> ComponentDescription? {
        components.first { $0.id == id }
    }
}
