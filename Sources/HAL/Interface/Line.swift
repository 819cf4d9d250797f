public import DeviceModel

/// The logical state of a line: active is what the wiring calls "on", whatever the voltage.
public enum LineValue: String, Sendable {
    /// On, pressed, closed.
    case active
    /// Off, released, open.
    case inactive

    /// The other state.
    public var toggled: LineValue { self == .active ? .inactive : .active }
}

/// Whether a line is read or driven.
public enum LineDirection: String, Sendable {
    /// It is read.
    case input
    /// It is driven.
    case output
}

/// The resistor that holds a line which nothing drives.
public enum LineBias: String, Sendable {
    /// As it was found.
    case asIs = "as-is"
    /// None.
    case disabled
    /// To the supply.
    case pullUp = "pull-up"
    /// To ground.
    case pullDown = "pull-down"
}

/// Which line of which chip.
public struct LineID: Hashable, Sendable, CustomStringConvertible {
    /// The chip's label, which unlike its number is the same at every boot.
    public let chip: String
    /// The line's number on the chip.
    public let offset: Int
    /// The line's name, as the person who asked for it wrote it.
    public let name: String

    /// A line of a chip.
    public init(chip: String, offset: Int, name: String) {
        self.chip = chip
        self.offset = offset
        self.name = name
    }

    /// Such as `GPIO17 (pinctrl-bcm2711 offset 17)`.
    public var description: String { "\(name) (\(chip) offset \(offset))" }
}

/// What an input line is requested with.
public struct InputSettings: Hashable, Sendable {
    /// The resistor.
    public var bias: LineBias
    /// Whether a low voltage is active.
    public var isActiveLow: Bool
    /// For how long the line has to keep still until its new state counts; zero: every edge counts.
    public var debounce: Duration

    /// Settings for an input.
    public init(bias: LineBias = .asIs, isActiveLow: Bool = false, debounce: Duration = .zero) {
        self.bias = bias
        self.isActiveLow = isActiveLow
        self.debounce = debounce
    }
}

/// What an output line is requested with.
public struct OutputSettings: Hashable, Sendable {
    /// The resistor.
    public var bias: LineBias
    /// Whether a low voltage is active.
    public var isActiveLow: Bool
    /// What the line is to be from the moment of the request.
    public var initial: Initial

    /// The state of an output from the moment of the request.
    public enum Initial: Hashable, Sendable {
        /// As it was found: same direction, same value. The request changes nothing.
        case asIs
        /// Driven to this value by the request itself, with no other value in between.
        case value(LineValue)
    }

    /// Settings for an output.
    public init(bias: LineBias = .asIs, isActiveLow: Bool = false, initial: Initial) {
        self.bias = bias
        self.isActiveLow = isActiveLow
        self.initial = initial
    }
}

/// A line that is read, held by this process.
///
/// Its state after the debounce, and its edges, are those of the wiring: `rising` is from inactive to active.
public protocol InputLine: Sendable {
    /// Which line it is.
    var id: LineID { get }

    /// The edges, oldest first, for one reader. At most 64 wait; the oldest goes when one more comes, and the level
    /// that the reader then asks for is right. Finished when the line is released.
    var edges: Mailbox<LineEvent> { get }

    /// The state now.
    ///
    /// - Throws: ``HALError``.
    func value() throws(HALError) -> LineValue

    /// Gives the line back.
    func release()
}

/// What an input line reports.
public enum LineEvent: Hashable, Sendable {
    /// The line changed to this state; the kernel saw it at this time.
    case edge(LineValue, at: MonotonicTime)
    /// The line can't be read any more: its chip is gone.
    case failed(HALError)
}

/// A line that is driven, held by this process.
///
/// What the line does once it is released depends on the kernel: drive it safe first.
public protocol OutputLine: Sendable {
    /// Which line it is.
    var id: LineID { get }

    /// The direction now; `input` only while a line that was requested as it was has not been driven.
    ///
    /// - Throws: ``HALError``.
    func direction() throws(HALError) -> LineDirection

    /// The state now, as the chip reports it; the voltage on the pin may be another.
    ///
    /// - Throws: ``HALError``.
    func value() throws(HALError) -> LineValue

    /// Drives the line. A line that is not an output yet becomes one on the same handle, with this value from the
    /// first moment.
    ///
    /// - Throws: ``HALError``.
    func drive(_ value: LineValue) throws(HALError)

    /// Gives the line back.
    func release()
}
