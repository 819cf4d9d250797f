public import DeviceModel

/// A machine with lines and buses.
///
/// Components see nothing else of the hardware, so a simulated board does as well.
public protocol Board: Sendable {
    /// What people call the board, such as `Raspberry Pi 4 Model B Rev 1.4` or `simulated board`.
    var name: String { get }

    /// What the machine says of itself.
    var host: any Host { get }

    /// Finds a line, and touches nothing.
    ///
    /// - Parameter line: The line.
    /// - Returns: Where it is; its name is the kernel's, else the one that was given.
    /// - Throws: ``HALError``: `absent`, or `ambiguous` (naming both).
    func locate(_ line: LineReference) throws(HALError) -> LineID

    /// Takes a line for reading.
    ///
    /// - Parameters:
    ///   - line: The line.
    ///   - settings: How it is to be read.
    ///   - consumer: Who takes it; shown to others who want it.
    /// - Throws: ``HALError``: `absent`, `ambiguous` (naming both), `busy` (naming the holder), `notPermitted`.
    /// - Returns: The line, which the caller holds until it releases it.
    func requestInput(_ line: LineReference, _ settings: InputSettings, consumer: String) throws(HALError)
        -> any InputLine

    /// Takes a line for driving.
    ///
    /// - Parameters:
    ///   - line: The line.
    ///   - settings: How it is to be driven, and what it is from the moment of the request.
    ///   - consumer: Who takes it; shown to others who want it.
    /// - Throws: ``HALError``: `absent`, `ambiguous` (naming both), `busy` (naming the holder), `notPermitted`.
    /// - Returns: The line, which the caller holds until it releases it.
    func requestOutput(_ line: LineReference, _ settings: OutputSettings, consumer: String) throws(HALError)
        -> any OutputLine

    /// The bus of a number.
    ///
    /// - Throws: ``HALError``: `absent` or `notPermitted`.
    func bus(_ number: Int) throws(HALError) -> any I2CBus

    /// Looks at everything: chips, lines and who holds them, buses and what answers there.
    func inventory() async -> BoardInventory
}

/// What a machine says of itself.
public protocol Host: Sendable {
    /// Reads everything that this machine can tell.
    func read() -> HostReadings
}

/// What a machine says of itself at one moment; nil where this machine does not tell.
public struct HostReadings: Hashable, Sendable {
    /// The processor's temperature, in kelvin.
    public var processorTemperature: Double?
    /// How many processes wanted a processor, averaged over a minute, for each processor that there is.
    public var load: Double?
    /// How much of the memory is in use, 0 to 1.
    public var memoryUsed: Double?
    /// How much of the disk with the agent's state is in use, 0 to 1.
    public var diskUsed: Double?
    /// Whether the supply is too weak at the moment.
    public var isUnderVoltage: Bool?
    /// Whether the processor is slowed down at the moment, by heat or a weak supply.
    public var isThrottled: Bool?

    /// Readings of which nothing is known yet.
    public init() {}
}
