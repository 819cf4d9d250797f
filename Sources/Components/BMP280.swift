public import ConfigurationSchema
public import DeviceModel
public import HAL

/// Bosch's BMP280: air pressure and temperature over I²C.
///
/// A BME280 has the same part and is served too, without its humidity. Data sheet: BST-BMP280-DS001, revision 1.26.
public struct BMP280: Component {
    /// The name of the model.
    public static let model = "bmp280"
    /// One sentence about the model.
    public static let summary = "Bosch BMP280 or BME280: temperature and air pressure over I²C"

    /// The keys of its table.
    public static let keys: [any ConfigurationKey] = [
        Keys.bus, Keys.address, Keys.interval, Keys.mode, Keys.temperatureOversampling, Keys.pressureOversampling,
        Keys.filter, Keys.altitude, Keys.offset,
    ]

    enum Keys {
        static let bus = Key.optional("bus", .integer(0...255), default: 1, shown: "1", "The bus, 1 for /dev/i2c-1.")
        static let address = Key.optional(
            "address", .i2cAddress(among: [0x76, 0x77]), default: 0x76, shown: "0x76",
            "The address: 0x76 with SDO to ground, 0x77 with SDO to the supply.")
        static let interval = Key.optional(
            "interval", .duration(.milliseconds(100)...(.seconds(86_400))), default: .seconds(2), shown: "\"2s\"",
            "From one measurement to the next.")
        static let mode = Key.optional(
            "mode", .choice(["forced": Mode.forced, "normal": .normal]), default: .forced, shown: "\"forced\"",
            "forced: the chip sleeps between measurements; normal: it measures by itself all the time.")
        static let temperatureOversampling = Key.optional(
            "temperature_oversampling", .choice(of: [1, 2, 4, 8, 16]), default: 2, shown: "2",
            "How often the temperature is measured for one value.")
        static let pressureOversampling = Key.optional(
            "pressure_oversampling", .choice(of: [1, 2, 4, 8, 16]), default: 16, shown: "16",
            "How often the pressure is measured for one value.")
        static let filter = Key.optional(
            "filter", .choice(of: [1, 2, 4, 8, 16]), default: 1, shown: "1",
            "The chip's filter against slamming doors: 1 is off, 16 the strongest.")
        static let altitude = Key<Double?>.optional(
            "altitude", .quantity(.length, -500...9_000),
            "How high the sensor is; adds the property sea_level_pressure.")
        static let offset = Key<CheckedTable?>.optional(
            "offset", TableSchema([temperatureOffset, pressureOffset]).kind,
            "What is added to each value: { temperature = \"-0.3 °C\", pressure = \"0.5 hPa\" }.")
        static let temperatureOffset = Key.optional(
            "temperature", .quantity(.temperatureDifference, -20...20), default: 0, shown: "\"0 °C\"",
            "What is added to the temperature.")
        static let pressureOffset = Key.optional(
            "pressure", .quantity(.pressure, -10_000...10_000), default: 0, shown: "\"0 hPa\"",
            "What is added to the pressure.")
    }

    /// How the chip measures (section 3.6).
    enum Mode: UInt8, Sendable {
        case forced = 0b01
        case normal = 0b11
    }

    /// Its address on its bus.
    public static func resources(_ configuration: CheckedTable) -> [BoardResource] {
        guard let bus = configuration.known(Keys.bus), let address = configuration.known(Keys.address) else {
            return []
        }
        return [.target(bus: bus, address)]
    }

    let id: ComponentID
    let bus: Int
    let address: I2CAddress
    let interval: Duration
    let settings: Settings
    let altitude: Double?
    let offset: (temperature: Double, pressure: Double)

    /// A sensor as it was configured.
    public init(id: ComponentID, configuration: CheckedTable) {
        self.id = id
        bus = configuration[Keys.bus]
        address = configuration[Keys.address]
        interval = configuration[Keys.interval]
        settings = Settings(
            mode: configuration[Keys.mode], temperatureOversampling: configuration[Keys.temperatureOversampling],
            pressureOversampling: configuration[Keys.pressureOversampling], filter: configuration[Keys.filter],
            interval: interval)
        altitude = configuration[Keys.altitude]
        let offset = configuration[Keys.offset]
        self.offset = (offset?[Keys.temperatureOffset] ?? 0, offset?[Keys.pressureOffset] ?? 0)
    }

    /// What it is.
    ///
    /// The ranges are those in which the chip works (table 2), widened by the offsets.
    public var description: ComponentDescription {
        let stale = interval * 3
        var properties = [
            PropertyDescription(
                "temperature", "Temperature of the air", type: .number, quantity: .temperature,
                range: 213.15...378.15, staleAfter: stale),
            PropertyDescription(
                "pressure", "Air pressure where the sensor is", type: .number, quantity: .pressure,
                range: 20_000...120_000, staleAfter: stale),
        ]
        if altitude != nil {
            properties.append(
                PropertyDescription(
                    "sea_level_pressure", "Air pressure as it would be at sea level", type: .number,
                    quantity: .pressure, range: 20_000...400_000, staleAfter: stale))
        }
        return ComponentDescription(id: id, model: Self.model, properties: properties)
    }

    /// Measures again and again.
    public func run(on board: any Board, _ port: ComponentPort) async throws {
        let device = I2CDevice(bus: try board.bus(bus), address: address, time: port.time)
        let calibration = try await begin(device, port)
        try await port.repeatedly(every: interval) {
            let raw = try await measure(device, port)
            report(raw, calibration, port)
        }
    }

    private func report(_ raw: Raw, _ calibration: Calibration, _ port: ComponentPort) {
        guard let temperature = raw.temperature else {
            for property in description.properties { port.report(property.name, failed: "the chip did not measure it") }
            return
        }
        let fine = calibration.fine(temperature)
        port.report("temperature", .number(Calibration.kelvin(fine: fine) + offset.temperature))
        guard let pressure = raw.pressure, let measured = calibration.pascal(pressure, fine: fine) else {
            for property in description.properties.dropFirst() {
                port.report(property.name, failed: "the chip did not measure it")
            }
            return
        }
        let pascal = measured + offset.pressure
        port.report("pressure", .number(pascal))
        if let altitude { port.report("sea_level_pressure", .number(seaLevelPressure(pascal, altitude: altitude))) }
    }
}
