/// An observation as a person is told of it.
public struct ReportedObservation: Hashable, Sendable {
    /// The device on which it was made.
    public var device: DeviceID
    /// When, by the wall clock of the device.
    public var time: WallTime
    /// What was observed.
    public var content: Observation.Content
    /// What a reading measures.
    public var quantity: Quantity?
    /// Its number; nil for a result that never was on the device, and for a reading that was never stored.
    public var position: StreamPosition?
    /// Whether the device's wall clock was synchronised then, or was soon enough for the time to be known afterwards.
    public var isDated: Bool

    /// An observation of a device.
    public init(
        device: DeviceID, time: WallTime, content: Observation.Content, quantity: Quantity? = nil,
        position: StreamPosition? = nil, isDated: Bool = true
    ) {
        self.device = device
        self.time = time
        self.content = content
        self.quantity = quantity
        self.position = position
        self.isDated = isDated
    }
}
