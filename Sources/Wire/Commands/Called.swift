public import DeviceModel

/// Device to router: what became of a ``Call``, where the device can't store its result now.
///
/// Whoever waits for it need not wait for a disk; the result follows as an observation when it is stored.
public struct Called: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.commands, "called")

    /// The command.
    public var id: CommandID
    /// How it ended.
    public var outcome: CommandOutcome

    /// The answer to a call.
    public init(id: CommandID, _ outcome: CommandOutcome) {
        self.id = id
        self.outcome = outcome
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeOutcome(outcome, of: id.rawValue)
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        let (id, outcome) = try reader.readOutcome()
        self.init(id: try reader.require(CommandID(rawValue: id), "id"), outcome)
    }
}
