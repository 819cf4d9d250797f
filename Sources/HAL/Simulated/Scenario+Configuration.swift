public import ConfigurationSchema
import DeviceModel
import HAL

/// The keys of a scenario file.
enum ScenarioKeys {
    static let longest: ClosedRange<Duration> = .zero...(.seconds(86_400))
    static let temperatures = 233.15...358.15
    static let pressures = 30_000.0...110_000

    static let repeatAfter = Key<Duration?>.optional(
        "repeat", .duration(.milliseconds(100)...(.seconds(86_400))), "After how long everything begins again.")
    static let processorTemperature = Key.optional(
        "processor_temperature", .quantity(.temperature, 200...400), default: 318.15, shown: "\"45 °C\"",
        "What the processor's own thermometer says.")
    static let chips = Key.optional(
        "chips", .tables(chip), default: [], shown: "none", "The chips on the buses; each a [[chips]].")
    static let presses = Key.optional(
        "presses", .tables(press), default: [], shown: "none", "When lines are driven from outside; each a [[presses]]."
    )
    static let wires = Key.optional(
        "wires", .tables(wire), default: [], shown: "none", "Lines that are connected; each a [[wires]].")
    static let faults = Key.optional(
        "faults", .tables(fault), default: [], shown: "none", "What goes wrong; each a [[faults]].")
    static let file = TableSchema([repeatAfter, processorTemperature, chips, presses, wires, faults])

    static let bus = Key.optional("bus", .integer(0...255), default: 1, shown: "1", "The bus, 1 for /dev/i2c-1.")
    static let address = Key.required("address", .i2cAddress, "The address of the chip.")
    static let model = Key.optional(
        "model", .choice(["bmp280": SimulatedBMP280.Model.bmp280, "bme280": .bme280]), default: .bmp280,
        shown: "\"bmp280\"", "Which chip it is.")
    static let temperature = Key.optional(
        "temperature", .curve(.temperature, temperatures), default: [Curve.Point(at: .zero, value: 294.15)],
        shown: "\"21 °C\"", "What the chip senses: one value, or a list of { at, value }.")
    static let pressure = Key.optional(
        "pressure", .curve(.pressure, pressures), default: [Curve.Point(at: .zero, value: 101_325)],
        shown: "\"1013.25 hPa\"", "What the chip senses: one value, or a list of { at, value }.")
    static let chip = TableSchema([bus, address, model, temperature, pressure])

    static let at = Key.required("at", .duration(longest), "When it happens, from the beginning.")
    static let line = Key.required("line", .line, "The line.")
    static let length = Key.optional(
        "for", .duration(.milliseconds(1)...(.seconds(86_400))), default: .milliseconds(200), shown: "\"200ms\"",
        "How long it lasts.")
    static let press = TableSchema([line, at, length])

    static let between = Key.required("between", .list(of: .line), "The two lines.")
    static let wire = TableSchema([between])

    static let kind = Key.required(
        "kind",
        .choice(["unplugged": FaultKind.unplugged, "reset": .reset, "timeouts": .timeouts]),
        "What goes wrong: the chip is unplugged for a time, it forgets its configuration, or transfers time out.")
    static let count = Key.optional(
        "count", .integer(1...1_000_000), default: 1, shown: "1", "How many transfers time out.")
    static let fault = TableSchema([at, kind, bus, address, length, count])

    enum FaultKind: Sendable { case unplugged, reset, timeouts }
}

extension Scenario {
    /// The schema of a scenario file.
    public static var schema: TableSchema { ScenarioKeys.file }

    /// Reads a scenario.
    ///
    /// - Parameters:
    ///   - table: The whole file.
    ///   - findings: Takes all that is wrong.
    /// - Returns: The scenario; nil when anything is wrong.
    public static func read(_ table: Table, _ findings: inout Findings) -> Scenario? {
        guard let file = schema.check(table, name: "", at: Position(line: 1, column: 1), &findings) else { return nil }
        for wire in file[ScenarioKeys.wires] where wire[ScenarioKeys.between].count != 2 {
            findings.add(at: wire.position(of: ScenarioKeys.between), "'between' must be a list of two lines")
        }
        checkPlaces(file, &findings)
        guard findings.isEmpty else { return nil }
        var scenario = Scenario(chips: file[ScenarioKeys.chips].map(Chip.init))
        scenario.period = file[ScenarioKeys.repeatAfter]
        scenario.processorTemperature = file[ScenarioKeys.processorTemperature]
        scenario.wires = file[ScenarioKeys.wires].map { ($0[ScenarioKeys.between][0], $0[ScenarioKeys.between][1]) }
        let steps = file[ScenarioKeys.presses].flatMap(Step.press) + file[ScenarioKeys.faults].flatMap(Step.fault)
        scenario.steps = steps.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
            .map(\.element)
        return scenario
    }

    /// Lines and chips that the simulated board does not have.
    private static func checkPlaces(_ file: CheckedTable, _ findings: inout Findings) {
        let lines = LineDirectory([SimulatedBoard.header])
        func check(_ line: LineReference, at position: Position) {
            do throws(HALError) {
                _ = try lines.find(line)
            } catch {
                findings.add(at: position, error.description)
            }
        }
        for press in file[ScenarioKeys.presses] {
            check(press[ScenarioKeys.line], at: press.position(of: ScenarioKeys.line))
        }
        for wire in file[ScenarioKeys.wires] {
            for line in wire[ScenarioKeys.between] { check(line, at: wire.position(of: ScenarioKeys.between)) }
        }
        let chips = file[ScenarioKeys.chips].map(Chip.init)
        for fault in file[ScenarioKeys.faults] {
            let (bus, address) = (fault[ScenarioKeys.bus], fault[ScenarioKeys.address])
            guard !chips.contains(where: { $0.bus == bus && $0.address == address }) else { continue }
            findings.add(
                at: fault.position(of: ScenarioKeys.address), "there is no [[chips]] at \(address) on I²C bus \(bus)")
        }
    }
}

extension Scenario.Chip {
    fileprivate init(_ table: CheckedTable) {
        self.init(
            bus: table[ScenarioKeys.bus], address: table[ScenarioKeys.address], model: table[ScenarioKeys.model],
            temperature: table[ScenarioKeys.temperature], pressure: table[ScenarioKeys.pressure])
    }
}

extension Scenario.Step {
    fileprivate static func press(_ table: CheckedTable) -> [Self] {
        let (line, at) = (table[ScenarioKeys.line], table[ScenarioKeys.at])
        return [
            Self(at: at, action: .drive(line, .active)),
            Self(at: at + table[ScenarioKeys.length], action: .drive(line, nil)),
        ]
    }

    fileprivate static func fault(_ table: CheckedTable) -> [Self] {
        let (at, bus, address) = (table[ScenarioKeys.at], table[ScenarioKeys.bus], table[ScenarioKeys.address])
        switch table[ScenarioKeys.kind] {
        case .unplugged:
            return [
                Self(at: at, action: .unplug(bus: bus, address)),
                Self(at: at + table[ScenarioKeys.length], action: .replug(bus: bus, address)),
            ]
        case .reset: return [Self(at: at, action: .brownOut(bus: bus, address))]
        case .timeouts: return [Self(at: at, action: .fail(bus: bus, count: table[ScenarioKeys.count]))]
        }
    }
}

extension ValueKind where Value == [CheckedTable] {
    /// A list of tables of a schema.
    fileprivate static func tables(_ schema: TableSchema) -> Self { .list(of: schema.kind) }
}

extension ValueKind where Value == [Curve.Point] {
    /// One value, or a list of `{ at, value }` in the order of time.
    fileprivate static func curve(_ quantity: Quantity, _ range: ClosedRange<Double>) -> Self {
        let value = Key.required("value", ValueKind<Double>.quantity(quantity, range), "The value.")
        let points = ValueKind<[CheckedTable]>.tables(TableSchema([ScenarioKeys.at, value]))
        let constant = ValueKind<Double>.quantity(quantity, range)
        return Self("\(constant.name) or list of points", range: constant.range) { node, place, findings in
            guard case .array = node.value else {
                return constant.read(node, place, &findings).map { [Curve.Point(at: .zero, value: $0)] }
            }
            guard let tables = points.read(node, place, &findings) else { return nil }
            let curve = tables.map { Curve.Point(at: $0[ScenarioKeys.at], value: $0[value]) }
            guard !curve.isEmpty, zip(curve, curve.dropFirst()).allSatisfy({ $0.at < $1.at }) else {
                findings.add(at: node.position, "'\(place.key)' must have points, each later than the one before")
                return nil
            }
            return curve
        }
    }
}
