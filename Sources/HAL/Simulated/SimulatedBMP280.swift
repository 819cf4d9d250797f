public import DeviceModel

/// A BMP280 (or the part of a BME280 that is the same) with all its registers, after the data sheet
/// BST-BMP280-DS001, revision 1.26.
///
/// It turns temperature and pressure into raw values by solving the data sheet's formulas for them, which shares no
/// code with the driver: what goes in here in kelvin and pascal has to come out of the driver again.
public struct SimulatedBMP280: SimulatedChip {
    /// Which of the two chips it is.
    public enum Model: UInt8, Sendable {
        /// Temperature and pressure.
        case bmp280 = 0x58
        /// Also humidity, which is not simulated.
        case bme280 = 0x60
    }

    /// The calibration of the example in section 3.12 of the data sheet.
    static let calibration = Calibration(
        t1: 27504, t2: 26435, t3: -1000, p1: 36477, p2: -10685, p3: 3024, p4: 2855, p5: 140, p6: -7, p7: 15500,
        p8: -14600, p9: 6000)

    struct Calibration {
        var t1, t2, t3: Double
        var p1, p2, p3, p4, p5, p6, p7, p8, p9: Double

        /// As it stands in the registers from 0x88 on: 16-bit words, the low byte first.
        var registers: [UInt8] {
            [t1, t2, t3, p1, p2, p3, p4, p5, p6, p7, p8, p9].flatMap { word -> [UInt8] in
                let bits = UInt16(truncatingIfNeeded: Int(word))
                return [UInt8(truncatingIfNeeded: bits), UInt8(truncatingIfNeeded: bits >> 8)]
            }
        }
    }

    private enum Register {
        static let calibration: UInt8 = 0x88
        static let id: UInt8 = 0xD0
        static let reset: UInt8 = 0xE0
        static let status: UInt8 = 0xF3
        static let control: UInt8 = 0xF4
        static let config: UInt8 = 0xF5
        static let data: UInt8 = 0xF7
    }

    private let model: Model
    private var temperature: Curve
    private var pressure: Curve
    private var control: UInt8 = 0
    private var config: UInt8 = 0
    private var raw = (pressure: Self.skipped, temperature: Self.skipped)
    private var filtered: (pressure: Double, temperature: Double)?
    private var conversionEnds: MonotonicTime?

    /// What stands in the data registers before the first measurement, and when a measurement is left out.
    static let skipped = 0x80000

    /// A chip that has just got its supply.
    ///
    /// - Parameters:
    ///   - model: Which of the two it is.
    ///   - temperature: What it senses, in kelvin.
    ///   - pressure: What it senses, in pascal.
    public init(_ model: Model = .bmp280, temperature: Curve = .constant(294.15), pressure: Curve = .constant(101_325))
    {
        self.model = model
        self.temperature = temperature
        self.pressure = pressure
    }

    /// Sets what the chip senses.
    public mutating func set(_ quantity: Quantity, to curve: Curve) {
        if quantity == .temperature { temperature = curve }
        if quantity == .pressure { pressure = curve }
    }

    /// Everything as at power-on (section 4.3.2).
    public mutating func reset(at now: MonotonicTime) {
        (control, config) = (0, 0)
        (raw, filtered) = ((Self.skipped, Self.skipped), nil)
        conversionEnds = nil
    }

    /// Reads count the register up; writes come as pairs of register and value (section 5.2).
    public mutating func transfer(write: [UInt8], readCount: Int, at now: MonotonicTime) -> [UInt8] {
        advance(to: now)
        if readCount > 0 {
            let first = write.first ?? 0
            return (0..<readCount).map { register(first &+ UInt8(truncatingIfNeeded: $0)) }
        }
        for pair in stride(from: 0, to: write.count - 1, by: 2) { self.write(write[pair], write[pair + 1], at: now) }
        return []
    }

    // MARK: Registers

    private func register(_ register: UInt8) -> UInt8 {
        switch register {
        case 0x88...0x9F: Self.calibration.registers[Int(register - Register.calibration)]
        case Register.id: model.rawValue
        case Register.status: conversionEnds == nil ? 0 : 0x08
        case Register.control: control
        case Register.config: config
        case 0xF7...0xFC: dataRegisters[Int(register - Register.data)]
        default: 0
        }
    }

    private var dataRegisters: [UInt8] {
        [raw.pressure, raw.temperature].flatMap { value -> [UInt8] in
            let (high, middle, low) = (value >> 12 & 0xFF, value >> 4 & 0xFF, value << 4 & 0xF0)
            return [UInt8(high), UInt8(middle), UInt8(low)]
        }
    }

    private mutating func write(_ register: UInt8, _ value: UInt8, at now: MonotonicTime) {
        switch register {
        case Register.reset: if value == 0xB6 { reset(at: now) }
        case Register.config: if mode == .sleep { config = value }  // ignored in normal mode (section 4.3.5)
        case Register.control:
            control = value
            conversionEnds = mode == .sleep ? nil : now + conversionTime
        default: break
        }
    }

    // MARK: Measuring

    private enum Mode { case sleep, forced, normal }

    private var mode: Mode {
        switch control & 0b11 {
        case 0b00: .sleep
        case 0b11: .normal
        default: .forced
        }
    }

    /// How often the value is measured for one result: 0 (not at all), 1, 2, 4, 8 or 16 (section 4.3.4).
    private func oversampling(_ code: UInt8) -> Int {
        code == 0 ? 0 : 1 << min(Int(code) - 1, 4)
    }

    private var temperatureOversampling: Int { oversampling(control >> 5) }
    private var pressureOversampling: Int { oversampling(control >> 2 & 0b111) }

    /// The longest that a conversion takes (section 3.8.1 and appendix B of the data sheet's family).
    private var conversionTime: Duration {
        let pressurePart = pressureOversampling == 0 ? 0 : 2_300 * pressureOversampling + 575
        return .microseconds(1_250 + 2_300 * temperatureOversampling + pressurePart)
    }

    /// The pause between two measurements in normal mode (table 11).
    private var standby: Duration {
        let microseconds = [500, 62_500, 125_000, 250_000, 500_000, 1_000_000, 2_000_000, 4_000_000]
        return .microseconds(microseconds[Int(config >> 5)])
    }

    /// Ends the conversions that have ended by now.
    private mutating func advance(to now: MonotonicTime) {
        guard let end = conversionEnds, end <= now else { return }
        convert(at: end)
        guard mode == .normal else {
            control &= 0b1111_1100
            conversionEnds = nil
            return
        }
        // Skip the cycles that nobody looked at; the last one counts.
        let cycle = (conversionTime + standby).nanoseconds
        let missed = (now - end).nanoseconds / cycle
        let last = end + .nanoseconds(missed * cycle)
        if missed > 0 { convert(at: last) }
        conversionEnds = last + .nanoseconds(cycle)
    }

    private mutating func convert(at now: MonotonicTime) {
        let kelvin = temperature.value(at: now)
        let fine = Self.fine(celsius: kelvin - 273.15)
        let exact = (
            pressure: Self.rawPressure(pascal: pressure.value(at: now), fine: fine),
            temperature: Self.rawTemperature(fine: fine)
        )
        let smoothed = filter(exact)
        raw.temperature = quantise(smoothed.temperature, oversampling: temperatureOversampling)
        raw.pressure = quantise(smoothed.pressure, oversampling: pressureOversampling)
    }

    /// The filter against short disturbances (section 3.3.3): coefficient 1 (none), 2, 4, 8 or 16.
    private mutating func filter(
        _ exact: (pressure: Double, temperature: Double)
    ) -> (pressure: Double, temperature: Double) {
        let code = Int(config >> 2 & 0b111)
        guard code > 0, let old = filtered else {
            filtered = exact
            return exact
        }
        let coefficient = Double(1 << min(code, 4))
        let new = (
            pressure: (old.pressure * (coefficient - 1) + exact.pressure) / coefficient,
            temperature: (old.temperature * (coefficient - 1) + exact.temperature) / coefficient
        )
        filtered = new
        return new
    }

    /// 16 bits and one more for each doubling; 20 with the filter on (sections 3.3.1 to 3.3.3).
    private func quantise(_ value: Double, oversampling: Int) -> Int {
        guard oversampling > 0 else { return Self.skipped }
        let isFiltered = config >> 2 & 0b111 > 0
        let bits = isFiltered ? 20 : min(20, 16 + oversampling.trailingZeroBitCount)
        let step = 1 << (20 - bits)
        return max(0, min(0xFFFFF, Int((value / Double(step)).rounded()) * step))
    }

    // MARK: The data sheet's formulas, solved for the raw values (section 8.1)

    /// `t_fine`, the number that both formulas share.
    static func fine(celsius: Double) -> Double { celsius * 5_120 }

    /// t_fine = T2·x + T3·x²/64 with x = adc_T/16384 − T1/1024.
    static func rawTemperature(fine: Double) -> Double {
        let square = calibration.t3 / 64
        let root = (calibration.t2 * calibration.t2 + 4 * square * fine).squareRoot()
        let x = (root - calibration.t2) / (2 * square)
        return 16_384 * (x + calibration.t1 / 1_024)
    }

    /// pressure = y + (P9·y²/2³¹ + P8·y/2¹⁵ + P7)/16 with y = (1048576 − adc_P − offset)·6250/sensitivity.
    static func rawPressure(pascal: Double, fine: Double) -> Double {
        let c = calibration
        let t = fine / 2 - 64_000
        let offset = (t * t * c.p6 / 32_768 + t * c.p5 * 2) / 4 + c.p4 * 65_536
        let sensitivity = (1 + (c.p3 * t * t / 524_288 + c.p2 * t) / 524_288 / 32_768) * c.p1
        let (a, b) = (c.p9 / 34_359_738_368, 1 + c.p8 / 524_288)
        let y = ((b * b - 4 * a * (c.p7 / 16 - pascal)).squareRoot() - b) / (2 * a)
        return 1_048_576 - y * sensitivity / 6_250 - offset / 4_096
    }
}
