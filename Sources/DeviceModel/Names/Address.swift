/// What a person names on a command line: `[DEVICE/]COMPONENT[.PROPERTY]`, or a device alone as `DEVICE/`.
public struct Address: Hashable, Sendable, CustomStringConvertible {
    /// The device; nil: the one on which the question is asked.
    public var device: DeviceID?
    /// The component; nil: all of them.
    public var component: ComponentID?
    /// The property; nil: all of them.
    public var property: String?

    /// An address of these parts.
    public init(device: DeviceID? = nil, component: ComponentID? = nil, property: String? = nil) {
        self.device = device
        self.component = component
        self.property = property
    }

    /// Reads an address in which a name without a slash is a component.
    ///
    /// Nil when the text is none.
    ///
    /// - Parameter text: Such as `climate`, `greenhouse/climate.temperature` or `greenhouse/`.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 {
            guard let device = DeviceID(rawValue: String(parts[0])) else { return nil }
            self.device = device
            if parts[1].isEmpty { return }
        }
        let names = parts[parts.count - 1].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let component = ComponentID(rawValue: String(names[0])) else { return nil }
        self.component = component
        if names.count == 2 {
            guard !names[1].isEmpty else { return nil }
            property = String(names[1])
        }
    }

    /// Reads an address in which a name without a slash is a device.
    ///
    /// - Parameter text: Such as `greenhouse`, `greenhouse/climate`, or `/climate` for a component of this device.
    /// - Returns: nil when the text is none.
    public static func ofDevice(_ text: String) -> Address? {
        if text.hasPrefix("/") { return Address(String(text.dropFirst())) }
        return Address(text.contains("/") ? text : text + "/")
    }

    /// The address as a person writes it.
    public var description: String {
        let inside = [component?.rawValue, property].compactMap(\.self).joined(separator: ".")
        return device.map { "\($0)/\(inside)" } ?? inside
    }
}
