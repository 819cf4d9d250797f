public import DeviceModel
public import HAL

/// The outside of a simulated board: what the world does to it, and what the world sees of it.
extension SimulatedBoard {
    /// Drives a line from outside, like a finger on a button.
    ///
    /// - Parameters:
    ///   - line: The line.
    ///   - value: What whoever holds the line is to see; nil: let go of it.
    /// - Throws: ``HALError`` with `absent` or `ambiguous`, and `busy` when the board itself drives the line.
    public func drive(_ line: LineReference, _ value: LineValue?) throws(HALError) {
        try withLines { (lines) throws(HALError) in
            let place = try lines.directory.find(line)
            if lines[place].isDriven {
                let holder = lines[place].consumer.map { "held by \($0)" } ?? "not held"
                throw HALError(.busy, "line \(line)", advice: "the board drives it itself (\(holder))")
            }
            let isActiveLow = lines[place].isActiveLow
            lines[place].outside = value.map { ($0 == .active) != isActiveLow }
        }
        settle()
    }

    /// What whoever holds the line drives or sees.
    ///
    /// - Throws: ``HALError`` with `absent` or `ambiguous`.
    public func look(at line: LineReference) throws(HALError) -> LineValue {
        try withLines { (lines) throws(HALError) in lines.value(try lines.directory.find(line)) }
    }

    /// The voltage on a line: true for high.
    ///
    /// - Throws: ``HALError`` with `absent` or `ambiguous`.
    public func level(of line: LineReference) throws(HALError) -> Bool {
        try withLines { (lines) throws(HALError) in lines.level(try lines.directory.find(line)) }
    }

    /// How often the board has changed the voltage on a line by driving it.
    ///
    /// - Throws: ``HALError`` with `absent` or `ambiguous`.
    public func switches(of line: LineReference) throws(HALError) -> Int {
        try withLines { (lines) throws(HALError) in lines[try lines.directory.find(line)].switches }
    }

    /// Connects two lines by a wire.
    ///
    /// - Throws: ``HALError`` with `absent` or `ambiguous`.
    public func wire(_ one: LineReference, _ other: LineReference) throws(HALError) {
        try withLines { (lines) throws(HALError) in
            lines.wire(try lines.directory.find(one), try lines.directory.find(other))
        }
        settle()
    }

    /// Leaves a line as something before us would: driven to a level (true for high), and held by nobody.
    ///
    /// - Throws: ``HALError`` with `absent`, `ambiguous`, or `busy` when somebody holds it.
    public func leave(_ line: LineReference, drivenTo level: Bool) throws(HALError) {
        try withLines { (lines) throws(HALError) in
            let place = try lines.take(line, consumer: "boot")
            lines[place].consumer = nil
            lines[place].isDriven = true
            lines[place].drivenLevel = level
        }
        settle()
    }

    /// Lets somebody else hold a line.
    ///
    /// - Throws: ``HALError`` with `absent`, `ambiguous`, or `busy` when somebody holds it already.
    public func occupy(_ line: LineReference, by consumer: String) throws(HALError) {
        _ = try withLines { (lines) throws(HALError) in try lines.take(line, consumer: consumer) }
    }

    /// Pulls a GPIO chip out: whoever holds one of its lines is told, and nothing works there any more.
    ///
    /// - Parameter label: The chip's label.
    public func unplug(chip label: String) {
        withLines { $0.unplug(label) }
    }

    /// Changes what the machine says of itself.
    public func setHost(_ change: (inout HostReadings) -> Void) {
        setHostReadings(change)
    }
}
