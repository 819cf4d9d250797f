public import DeviceModel

// Names in tests are right by construction; one that is not ends the test run with its text.

extension DeviceID: ExpressibleByStringLiteral {
    /// The device of this name.
    public init(stringLiteral name: String) {
        guard let id = DeviceID(rawValue: name) else { preconditionFailure("'\(name)' is no device") }
        self = id
    }
}

extension ComponentID: ExpressibleByStringLiteral {
    /// The component of this name.
    public init(stringLiteral name: String) {
        guard let id = ComponentID(rawValue: name) else { preconditionFailure("'\(name)' is no component") }
        self = id
    }
}

extension CommandID: ExpressibleByStringLiteral {
    /// The command of this id.
    public init(stringLiteral id: String) {
        guard let id = CommandID(rawValue: id) else { preconditionFailure("'\(id)' is no command") }
        self = id
    }
}

extension LeaseID: ExpressibleByStringLiteral {
    /// The lease of this name.
    public init(stringLiteral id: String) {
        guard let id = LeaseID(rawValue: id) else { preconditionFailure("'\(id)' is no lease") }
        self = id
    }
}

extension BootID: ExpressibleByIntegerLiteral {
    /// The boot all of whose bytes are this one.
    public init(integerLiteral byte: UInt8) {
        guard let boot = BootID(bytes: [UInt8](repeating: byte, count: BootID.size)) else {
            preconditionFailure("a boot id has \(BootID.size) bytes")
        }
        self = boot
    }
}
