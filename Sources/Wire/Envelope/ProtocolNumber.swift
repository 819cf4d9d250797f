/// The number of a protocol.
///
/// Those below 0x4D00 and 0xFFFF keep the meaning that Mender published; ours begin at 0x4D00.
public struct ProtocolNumber: RawRepresentable, Hashable, Sendable {
    /// The number.
    public let rawValue: UInt16

    /// Any number, also one that this version does not know.
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// Mender's terminal.
    public static let shell = Self(rawValue: 1)
    /// Mender's file transfer.
    public static let fileTransfer = Self(rawValue: 2)
    /// Mender's port forward.
    public static let portForward = Self(rawValue: 3)
    /// Mender's client.
    public static let menderClient = Self(rawValue: 4)
    /// What concerns the connection itself; errors about messages that nobody understands.
    public static let control = Self(rawValue: 0xFFFF)

    /// How a device gets in and stays: enrolment, proof of identity, heartbeats.
    public static let deviceSession = Self(rawValue: 0x4D00)
    /// What goes up: descriptions, observations and their acknowledgement.
    public static let observations = Self(rawValue: 0x4D01)
    /// What comes down: commands.
    public static let commands = Self(rawValue: 0x4D02)
    /// What a person asks, and the answers.
    public static let requests = Self(rawValue: 0x4D03)
    /// How a person gets in.
    public static let accounts = Self(rawValue: 0x4D04)
    /// What the owner wants of the watch over a device's files, and what that says.
    public static let integrity = Self(rawValue: 0x4D05)
}
