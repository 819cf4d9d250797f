public import DeviceModel
public import HAL
import Synchronization

/// A board that exists in memory only.
///
/// It keeps the promises of a real one, and has a face to the outside: fingers that press, wires, weather and faults.
///
/// Released lines fall back to what their resistor says, as the kernel's own gpio-sim does.
public final class SimulatedBoard: Board {
    /// What people call it.
    public let name = "simulated board"
    /// The buses that it has, by number.
    public let buses: [Int: SimulatedBus]

    let time: any TimeSource
    private let lines: Mutex<SimulatedLines>
    /// Tells ``run()`` that there is something new to wait for.
    let clockwork = Mailbox<Void>(bound: 1, policy: .dropOldest)
    private let scenario: Scenario
    private let readings: Mutex<HostReadings>

    /// A board.
    ///
    /// - Parameters:
    ///   - chips: Its GPIO chips; by default one with the 28 lines of a Raspberry Pi's header, `GPIO0` to `GPIO27`.
    ///   - scenario: What is on its buses and what happens to it; by default a BMP280 in fair weather.
    ///   - time: Its clock.
    public init(
        chips: [LineDirectory.Chip] = [SimulatedBoard.header], scenario: Scenario = .standard, time: any TimeSource
    ) {
        self.time = time
        self.scenario = scenario
        lines = Mutex(SimulatedLines(LineDirectory(chips)))
        let numbers = Set(scenario.chips.map(\.bus)).union([1])
        let buses = numbers.map { ($0, SimulatedBus(number: $0, time: time)) }
        self.buses = Dictionary(uniqueKeysWithValues: buses)
        var readings = HostReadings()
        (readings.processorTemperature, readings.load) = (scenario.processorTemperature, 0.1)
        (readings.memoryUsed, readings.diskUsed) = (0.25, 0.4)
        (readings.isUnderVoltage, readings.isThrottled) = (false, false)
        self.readings = Mutex(readings)
        plug(scenario, startingAt: time.now)
    }

    /// A chip with the lines of a Raspberry Pi's header.
    public static let header = LineDirectory.Chip(
        name: "gpiochip0", label: "simulated-header", lineNames: (0...27).map { "GPIO\($0)" })

    /// The processor and the rest of the machine, as the scenario has them.
    public var host: any Host { SimulatedHost(board: self) }

    /// The bus of a number.
    public func bus(_ number: Int) throws(HALError) -> any I2CBus {
        guard let bus = buses[number] else {
            let known = buses.keys.sorted().map(String.init).joined(separator: ", ")
            throw HALError(.absent, "I²C bus \(number)", advice: "this simulated board has \(known)")
        }
        return bus
    }

    /// Finds a line.
    public func locate(_ line: LineReference) throws(HALError) -> LineID {
        try withLines { (lines) throws(HALError) in try lines.directory.locate(line) }
    }

    /// Takes a line for reading.
    public func requestInput(
        _ line: LineReference, _ settings: InputSettings, consumer: String
    ) throws(HALError) -> any InputLine {
        let input = try withLines { (lines) throws(HALError) in
            let place = try lines.take(line, consumer: consumer)
            lines[place].isActiveLow = settings.isActiveLow
            lines[place].bias = settings.bias
            lines[place].isDriven = false
            let edges = Mailbox<LineEvent>(bound: 64, policy: .dropOldest)
            lines[place].listener = SimulatedLines.Listener(
                edges: edges, debounce: settings.debounce, value: lines.value(place))
            return SimulatedInputLine(board: self, place: place, id: lines.id(place, as: line), edges: edges)
        }
        settle()
        return input
    }

    /// Takes a line for driving.
    public func requestOutput(
        _ line: LineReference, _ settings: OutputSettings, consumer: String
    ) throws(HALError) -> any OutputLine {
        let output = try withLines { (lines) throws(HALError) in
            let place = try lines.take(line, consumer: consumer)
            lines[place].isActiveLow = settings.isActiveLow
            if case .value(let value) = settings.initial {
                lines[place].bias = settings.bias
                lines.drive(place, value)
            }
            return SimulatedOutputLine(
                board: self, place: place, id: lines.id(place, as: line), bias: settings.bias)
        }
        settle()
        return output
    }

    /// Everything that is on the board.
    public func inventory() async -> BoardInventory {
        let chips = withLines { $0.inventory }
        let buses = self.buses.values.sorted { $0.number < $1.number }.map(\.inventory)
        return BoardInventory(board: name, chips: chips, buses: buses)
    }

    // MARK: The clockwork

    /// Plays the scenario and ends debounce periods, until the task is cancelled or ``stop()`` is called.
    public func run() async {
        var player = ScenarioPlayer(scenario, startingAt: time.now)
        while true {
            for action in player.due(at: time.now) { perform(action) }
            settle()
            let next = [player.deadline, withLines { $0.deadline }].compactMap(\.self).min()
            if case .finished = await clockwork.next(until: next, on: time) { return }
        }
    }

    /// Ends ``run()``.
    public func stop() {
        clockwork.finish()
    }

    /// Tells everybody who listens what has changed by now, and the clockwork that there may be more to wait for.
    ///
    /// ``run()`` and the outside do this by themselves; a test that turns the clock by hand may do it in their place.
    public func settle() {
        let hasDeadline = withLines { lines in
            lines.settle(at: time.now)
            return lines.deadline != nil
        }
        if hasDeadline { clockwork.send(()) }
    }

    /// Looks at the lines, or changes them, while nobody else does.
    func withLines<Result: Sendable, Failure: Error>(
        _ body: (inout SimulatedLines) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try lines.withLock { (lines) throws(Failure) in try body(&lines) }
    }

    func hostReadings() -> HostReadings {
        readings.withLock(\.self)
    }

    func setHostReadings(_ change: (inout HostReadings) -> Void) {
        readings.withLock { change(&$0) }
    }
}

/// The machine around a simulated board.
private struct SimulatedHost: Host {
    let board: SimulatedBoard

    func read() -> HostReadings { board.hostReadings() }
}
