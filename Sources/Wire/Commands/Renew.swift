public import DeviceModel

/// Router to device: a lease is to go on, or to end.
///
/// The answer is ``Renewed``.
public struct Renew: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.commands, "renew")

    /// By what the answer is known: chosen by the router, unique on the connection.
    public var id: String
    /// What is to be done.
    public var renewal: LeaseRenewal

    /// A renewal.
    public init(id: String, _ renewal: LeaseRenewal) {
        self.id = id
        self.renewal = renewal
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("id", id)
            map.field("component", renewal.component.rawValue)
            map.field("lease", renewal.lease.rawValue)
            map.field("lease_ms", renewal.duration.milliseconds)
            map.field("deadline", renewal.deadline.nanoseconds)
        }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var id: String?
        var component: ComponentID?
        var lease = LeaseFields()
        var deadline: Int64?
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "id": id = try reader.readString()
            case "component": component = try reader.readComponentID()
            case "lease", "lease_ms": try lease.read(key, &reader)
            case "deadline": deadline = try reader.readInt64()
            default: try reader.skip()
            }
        }
        let renewal = LeaseRenewal(
            component: try reader.require(component, "component"), lease: try reader.require(lease.id, "lease"),
            duration: try reader.require(lease.duration, "lease_ms"),
            deadline: MonotonicTime(nanoseconds: try reader.require(deadline, "deadline")))
        self.init(id: try reader.require(id, "id"), renewal)
    }
}

/// Device to router: what became of a ``Renew``.
public struct Renewed: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.commands, "renewed")

    /// What the ``Renew`` was called.
    public var id: String
    /// How it ended.
    public var outcome: CommandOutcome

    /// The answer to a renewal.
    public init(id: String, _ outcome: CommandOutcome) {
        self.id = id
        self.outcome = outcome
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeOutcome(outcome, of: id)
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        let (id, outcome) = try reader.readOutcome()
        self.init(id: id, outcome)
    }
}

extension Failure {
    /// What somebody who asked for a renewal is told when it was not done; nil: it was.
    ///
    /// - Parameter outcome: How the renewal ended.
    public init?(renewal outcome: CommandOutcome) {
        let code: ErrorCode
        let words: String
        switch outcome.status {
        case .done: return nil
        case .refused: (code, words) = (.conflict, "the lease was not renewed")
        case .expired: (code, words) = (.expired, "the renewal came too late and was not done")
        case .unreachable: (code, words) = (.unreachable, "the device is not connected")
        case .unknown: (code, words) = (.unreachable, "no answer came; the lease may have been renewed")
        case .failed, .interrupted: (code, words) = (.systemFailure, "the renewal failed")
        }
        self.init(code, outcome.reason ?? words)
    }
}
