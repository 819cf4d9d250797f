import DeviceModel
import HAL

/// What is on a simulated board, and what happens to it over time.
public struct Scenario: Sendable {
    /// A chip on a bus, and what it senses.
    struct Chip: Sendable {
        var bus: Int
        var address: I2CAddress
        var model: SimulatedBMP280.Model
        var temperature: [Curve.Point]
        var pressure: [Curve.Point]
    }

    /// Something that happens at a time.
    struct Step: Sendable {
        var at: Duration
        var action: Action
    }

    /// What can happen.
    enum Action: Hashable, Sendable {
        case drive(LineReference, LineValue?)
        case unplug(bus: Int, I2CAddress)
        case replug(bus: Int, I2CAddress)
        case brownOut(bus: Int, I2CAddress)
        case fail(bus: Int, count: Int)
    }

    /// After how long everything begins again; nil: never.
    var period: Duration?
    var chips: [Chip]
    var wires: [(LineReference, LineReference)] = []
    /// In the order of time.
    var steps: [Step] = []
    var processorTemperature = 318.15

    /// A BMP280 at 0x76 on bus 1, at 21 °C and 1013.25 hPa, and nothing happens.
    public static var standard: Scenario {
        let weather = (temperature: [Curve.Point(at: .zero, value: 294.15)], [Curve.Point(at: .zero, value: 101_325)])
        return Scenario(chips: [
            Chip(bus: 1, address: 0x76, model: .bmp280, temperature: weather.temperature, pressure: weather.1)
        ])
    }
}

/// Plays the steps of a scenario.
///
/// A plain value: time goes in, actions come out.
struct ScenarioPlayer {
    private let steps: [Scenario.Step]
    private let period: Duration?
    private var start: MonotonicTime
    private var next = 0

    init(_ scenario: Scenario, startingAt start: MonotonicTime) {
        steps = scenario.steps
        period = scenario.period
        self.start = start
    }

    /// When something happens next; nil: nothing will any more.
    var deadline: MonotonicTime? {
        if next < steps.count { return start + steps[next].at }
        return steps.isEmpty ? nil : period.map { start + $0 }
    }

    /// What has happened by now and was not told before, in its order.
    mutating func due(at now: MonotonicTime) -> [Scenario.Action] {
        var actions: [Scenario.Action] = []
        while let deadline, deadline <= now {
            if next < steps.count {
                actions.append(steps[next].action)
                next += 1
            } else {
                (start, next) = (deadline, 0)
            }
        }
        return actions
    }
}

extension SimulatedBoard {
    /// Puts the scenario's chips and wires in place.
    func plug(_ scenario: Scenario, startingAt start: MonotonicTime) {
        for chip in scenario.chips {
            let model = SimulatedBMP280(
                chip.model,
                temperature: Curve(chip.temperature, startingAt: start, period: scenario.period),
                pressure: Curve(chip.pressure, startingAt: start, period: scenario.period))
            buses[chip.bus]?.plug(model, at: chip.address)
        }
        withLines { lines in
            for (one, other) in scenario.wires {
                let ends = try? (lines.directory.find(one), lines.directory.find(other))  // safe: `read` has named it
                if let ends { lines.wire(ends.0, ends.1) }
            }
        }
    }

    /// Does what a scenario says.
    func perform(_ action: Scenario.Action) {
        switch action {
        case .drive(let line, let value):
            try? drive(line, value)  // safe: a finger on a line that the board drives changes nothing, as in the world
        case .unplug(let bus, let address): buses[bus]?.unplug(address)
        case .replug(let bus, let address): buses[bus]?.replug(address)
        case .brownOut(let bus, let address): buses[bus]?.brownOut(address)
        case .fail(let bus, let count): buses[bus]?.fail(next: count, as: .timedOut)
        }
    }
}
