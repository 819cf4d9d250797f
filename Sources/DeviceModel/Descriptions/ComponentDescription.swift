/// What a component is and can do, in the terms of the W3C Web of Things Thing Description 1.1: properties, actions and
/// events.
///
/// Checks, help texts and forms are made from it.
public struct ComponentDescription: Hashable, Sendable {
    /// The component's name.
    public var id: ComponentID
    /// Its model, such as `bmp280`.
    public var model: String
    /// What people call it; nil: its name.
    public var label: String?
    /// What can be read.
    public var properties: [PropertyDescription]
    /// What it can be told to do.
    public var actions: [ActionDescription]
    /// What can happen.
    public var events: [EventDescription]
    /// The rules that hold for its output, a sentence each.
    public var limits: [String]

    /// A description of a component.
    public init(
        id: ComponentID, model: String, label: String? = nil, properties: [PropertyDescription] = [],
        actions: [ActionDescription] = [], events: [EventDescription] = [], limits: [String] = []
    ) {
        self.id = id
        self.model = model
        self.label = label
        self.properties = properties
        self.actions = actions
        self.events = events
        self.limits = limits
    }

    /// The property of a name, if there is one.
    public func property(_ name: String) -> PropertyDescription? {
        properties.first { $0.name == name }
    }

    /// The action of a name, if there is one.
    public func action(_ name: String) -> ActionDescription? {
        actions.first { $0.name == name }
    }
}

/// What one property is.
public struct PropertyDescription: Hashable, Sendable {
    /// Its name, such as `temperature`.
    public var name: String
    /// One sentence for people.
    public var title: String
    /// The type of its values.
    public var type: ValueType
    /// What a number measures.
    public var quantity: Quantity?
    /// The smallest value that it can have, in SI units.
    public var minimum: Double?
    /// The greatest value that it can have, in SI units.
    public var maximum: Double?
    /// After how long without a new reading a value is stale; nil: it holds until it changes.
    public var staleAfter: Duration?

    /// A description of a property; `range` is in SI units.
    public init(
        _ name: String, _ title: String, type: ValueType, quantity: Quantity? = nil,
        range: ClosedRange<Double>? = nil, staleAfter: Duration? = nil
    ) {
        self.name = name
        self.title = title
        self.type = type
        self.quantity = quantity
        minimum = range?.lowerBound
        maximum = range?.upperBound
        self.staleAfter = staleAfter
    }
}

/// What one action is.
public struct ActionDescription: Hashable, Sendable {
    /// Its name, such as `on`.
    public var name: String
    /// One sentence for people.
    public var title: String
    /// What it takes.
    public var parameters: [ParameterDescription]

    /// A description of an action.
    public init(_ name: String, _ title: String, parameters: [ParameterDescription] = []) {
        self.name = name
        self.title = title
        self.parameters = parameters
    }
}

/// What one parameter of an action is.
public struct ParameterDescription: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// One sentence for people.
    public var title: String
    /// The type of its values.
    public var type: ValueType
    /// What a number measures.
    public var quantity: Quantity?
    /// The smallest value, in SI units.
    public var minimum: Double?
    /// The greatest value, in SI units.
    public var maximum: Double?
    /// Whether the action needs it.
    public var isRequired: Bool

    /// A description of a parameter; `range` is in SI units.
    public init(
        _ name: String, _ title: String, type: ValueType, quantity: Quantity? = nil,
        range: ClosedRange<Double>? = nil, isRequired: Bool = true
    ) {
        self.name = name
        self.title = title
        self.type = type
        self.quantity = quantity
        minimum = range?.lowerBound
        maximum = range?.upperBound
        self.isRequired = isRequired
    }
}

/// What one event is.
public struct EventDescription: Hashable, Sendable {
    /// Its name, such as `pressed`.
    public var name: String
    /// One sentence for people.
    public var title: String

    /// A description of an event.
    public init(_ name: String, _ title: String) {
        self.name = name
        self.title = title
    }
}
