/// Something that was observed on a device: what goes up.
public struct Observation: Hashable, Sendable {
    /// When.
    public var time: Timestamp
    /// What.
    public var content: Content

    /// What was observed.
    public enum Content: Hashable, Sendable {
        /// A property was measured, or could not be.
        case reading(Reading)
        /// Something happened.
        case event(Event)
        /// A command came to its end.
        case result(CommandResult)

        /// The stream in which it goes up.
        public var stream: StreamName {
            switch self {
            case .reading: .telemetry
            case .event, .result: .events
            }
        }
    }

    /// An observation of something at a time.
    public init(time: Timestamp, content: Content) {
        self.time = time
        self.content = content
    }

    /// The component it is about.
    public var component: ComponentID {
        switch content {
        case .reading(let reading): reading.component
        case .event(let event): event.component
        case .result(let result): result.component
        }
    }

    /// The stream in which it goes up.
    public var stream: StreamName { content.stream }
}

/// One reading of one property.
public struct Reading: Hashable, Sendable {
    /// The component that has the property.
    public var component: ComponentID
    /// The property.
    public var property: String
    /// The value, in SI units; nil only where the quality is not good and there never was one.
    public var value: Value?
    /// How good the value is.
    public var quality: Quality
    /// Why it is not good.
    public var reason: String?

    /// A reading of a property.
    public init(
        component: ComponentID, property: String, value: Value?, quality: Quality = .good, reason: String? = nil
    ) {
        self.component = component
        self.property = property
        self.value = value
        self.quality = quality
        self.reason = reason
    }
}

/// One event: something that happened at a moment and has no lasting value.
public struct Event: Hashable, Sendable {
    /// The component to which it happened.
    public var component: ComponentID
    /// What happened, such as `pressed`.
    public var name: String
    /// What more there is to say, in a sentence; nil: the name says all.
    public var detail: String?

    /// An event of a component.
    public init(component: ComponentID, name: String, detail: String? = nil) {
        self.component = component
        self.name = name
        self.detail = detail
    }
}
