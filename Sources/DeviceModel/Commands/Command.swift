/// An order to a component: what comes down.
public struct Command: Hashable, Sendable {
    /// Unique for ever; a second command with the same id is refused.
    public var id: CommandID
    /// The component that is to do it.
    public var component: ComponentID
    /// What it is to do, one of its actions.
    public var action: String
    /// The parameters of the action, in SI units.
    public var parameters: [String: Value]
    /// The point of the device's own clock from which it must not be done any more.
    public var deadline: MonotonicTime
    /// Who gave it.
    public var origin: Origin
    /// The claim that it makes on the output; nil: none.
    public var lease: Lease?

    /// Who gave a command.
    public enum Origin: Hashable, Sendable {
        /// A person, through the router, by the name of their account.
        case router(account: String)
        /// A person on the device, by their user id and name.
        case local(uid: UInt32, user: String)
        /// A binding of a component's event.
        case binding(ComponentID)

        /// Whom the device's own kernel names, for the audit log; nil for everybody else.
        var author: String? {
            if case .local(let uid, let user) = self { "uid \(uid) (\(user))" } else { nil }
        }

        /// Who it was, for people.
        public var words: String {
            switch self {
            case .router(""): "somebody through the router"  // an older router does not say who
            case .router(let account): "\(account) through the router"
            case .local(_, let user): "\(user) on the device"
            case .binding(let component): "the binding of \(component)"
            }
        }
    }

    /// An order to a component.
    public init(
        id: CommandID, component: ComponentID, action: String, parameters: [String: Value] = [:],
        deadline: MonotonicTime, origin: Origin, lease: Lease? = nil
    ) {
        self.id = id
        self.component = component
        self.action = action
        self.parameters = parameters
        self.deadline = deadline
        self.origin = origin
        self.lease = lease
    }

    /// How long a command may take to be begun, when nobody says otherwise.
    public static let defaultExpiry: Duration = .seconds(10)
    /// The longest that a command may take to be begun.
    public static let longestExpiry: Duration = .seconds(60)
    /// What is said of one that was not begun in its time.
    public static let cameTooLate = "the command came too late and was not done"
    /// Why a command is refused whose id is known already; how the first one of that id ends is told by itself.
    public static let givenBefore = "a command with this id was given before"
}

/// The id of a command: 1 to 64 printable ASCII characters without spaces, chosen by whoever gives it.
public struct CommandID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The id.
    public let rawValue: String

    /// - Parameter rawValue: The id; nil when it is none.
    public init?(rawValue: String) {
        guard (1...64).contains(rawValue.utf8.count), rawValue.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        self.rawValue = rawValue
    }

    /// A new random id of 128 bits.
    public init(using generator: inout some RandomNumberGenerator) {
        let digits = [generator.next(), generator.next()].map { (half: UInt64) in half.padded(to: 16, radix: 16) }
        rawValue = digits.joined()
    }

    /// The id.
    public var description: String { rawValue }
}
