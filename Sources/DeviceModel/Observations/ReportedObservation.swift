/// An observation as a person is told of it.
public struct ReportedObservation: Hashable, Sendable {
    /// The device on which it was made.
    public var device: DeviceID
    /// What the wall clock of the device said.
    public var time: WallTime
    /// What was observed.
    public var content: Observation.Content
    /// What a reading measures.
    public var quantity: Quantity?
    /// Its number; nil for a result that never was on the device, and for a reading that was never stored.
    public var sequence: UInt64?

    /// An observation of a device.
    public init(
        device: DeviceID, time: WallTime, content: Observation.Content, quantity: Quantity? = nil,
        sequence: UInt64? = nil
    ) {
        self.device = device
        self.time = time
        self.content = content
        self.quantity = quantity
        self.sequence = sequence
    }
}
