import DeviceModel
import HAL
import Logging

extension BMP280 {
    /// The registers (section 4.2).
    enum Register {
        static let calibration: UInt8 = 0x88
        static let id: UInt8 = 0xD0
        static let reset: UInt8 = 0xE0
        static let status: UInt8 = 0xF3
        static let control: UInt8 = 0xF4
        static let config: UInt8 = 0xF5
        static let data: UInt8 = 0xF7
    }

    /// What the chip is set to (sections 4.3.4 and 4.3.5).
    struct Settings: Hashable, Sendable {
        var mode: Mode
        var temperatureOversampling: Int
        var pressureOversampling: Int
        var filter: Int
        var interval: Duration

        /// The control register with a mode of 0, sleep.
        var control: UInt8 {
            UInt8(temperatureOversampling.trailingZeroBitCount + 1) << 5
                | UInt8(pressureOversampling.trailingZeroBitCount + 1) << 2
        }

        /// The configuration register: the pause of normal mode and the filter.
        var config: UInt8 {
            (mode == .normal ? standby : 0) << 5 | UInt8(filter.trailingZeroBitCount) << 2
        }

        /// The longest pause between two measurements of normal mode that is not longer than the interval (table 11), and
        /// that both chips understand.
        private var standby: UInt8 {
            // The two longest, 2 s and 4 s, mean 10 ms and 20 ms to a BME280 (BST-BME280-DS002, table 27).
            let milliseconds = [0.5, 62.5, 125, 250, 500, 1_000]
            return UInt8(milliseconds.lastIndex { $0 <= interval.seconds * 1_000 } ?? 0)
        }

        /// The longest that one measurement takes (section 3.8.1): 1.25 ms + 2.3 ms each, + 0.575 ms with pressure.
        var conversionTime: Duration {
            .microseconds(1_250 + 2_300 * temperatureOversampling + 2_300 * pressureOversampling + 575)
        }
    }

    /// Raw values of one measurement; nil: not measured.
    struct Raw: Hashable {
        var temperature: Double?
        var pressure: Double?

        /// - Parameter data: The registers from 0xF7 on: pressure, then temperature, 20 bits each.
        init(data: [UInt8]) {
            func value(_ first: Int) -> Double? {
                let raw = Int(data[first]) << 12 | Int(data[first + 1]) << 4 | Int(data[first + 2]) >> 4
                return raw == 0x80000 ? nil : Double(raw)
            }
            (pressure, temperature) = (value(0), value(3))
        }
    }

    /// Finds the chip, resets it, reads its calibration and configures it.
    func begin(_ device: I2CDevice, _ port: ComponentPort) async throws -> Calibration {
        let id: UInt8
        do {
            id = try await device.read(Register.id)
        } catch let error as HALError where error.kind == .noAcknowledge {
            throw await withNeighbour(error, device, port)
        }
        guard Self.ids.contains(id) else {
            throw HALError(
                .unsupported, "\(address) on I²C bus \(bus)",
                advice:
                    "what answers there says that it is 0x\(String(id, radix: 16)), no BMP280 (0x58) or BME280 (0x60)")
        }
        try await device.write(Register.reset, 0xB6)
        try await port.time.sleep(until: port.time.now + .milliseconds(3))  // start-up time: 2 ms (table 2)
        try await settle(device, busy: 0b0001, port)  // until the calibration is copied into its registers
        let bytes = try await device.read(Register.calibration, count: Calibration.size)
        guard let calibration = Calibration(bytes: bytes) else {
            throw HALError(.failed, "\(address) on I²C bus \(bus)", advice: "its calibration is empty; is it damaged?")
        }
        try await configure(device, port)
        return calibration
    }

    /// One measurement.
    ///
    /// A chip that has forgotten its configuration is configured again, and measures again.
    func measure(_ device: I2CDevice, _ port: ComponentPort) async throws -> Raw {
        for _ in 0..<2 {
            if settings.mode == .forced { try await convert(device, port) }
            let control = try await device.read(Register.control)
            let config = try await device.read(Register.config)
            let data = try await device.read(Register.data, count: 6)
            if control & 0b1111_1100 == settings.control, config & 0b1111_1100 == settings.config,
                settings.mode == .forced || control & 0b11 == Mode.normal.rawValue
            {
                return Raw(data: data)
            }
            port.logger.warning("sensor forgot its configuration: was its supply interrupted?")
            try await configure(device, port)
        }
        throw HALError(
            .failed, "\(address) on I²C bus \(bus)",
            advice: "it does not keep its configuration; check its supply, or power-cycle the sensor")
    }

    /// Lets the chip measure once, and waits until it has.
    ///
    /// Whether it has is not asked of the mode: not every chip, and no stand-in for one, changes it back.
    private func convert(_ device: I2CDevice, _ port: ComponentPort) async throws {
        try await device.write(Register.control, settings.control | Mode.forced.rawValue)
        try await port.time.sleep(until: port.time.now + settings.conversionTime)
        try await settle(device, busy: 0b1000, port)
    }

    /// Writes the configuration: in sleep, because the chip may ignore it otherwise (section 4.3.5).
    ///
    /// In normal mode the first measurement is there when this returns.
    private func configure(_ device: I2CDevice, _ port: ComponentPort) async throws {
        try await device.write(Register.control, settings.control)
        try await device.write(Register.config, settings.config)
        if settings.mode == .normal {
            try await device.write(Register.control, settings.control | Mode.normal.rawValue)
            try await port.time.sleep(until: port.time.now + settings.conversionTime)
        }
    }

    /// Waits until the status register shows that none of these bits is set: 20 looks, 2 ms apart.
    private func settle(_ device: I2CDevice, busy: UInt8, _ port: ComponentPort) async throws {
        for _ in 0..<20 {
            if try await device.read(Register.status) & busy == 0 { return }
            try await port.time.sleep(until: port.time.now + .milliseconds(2))
        }
        throw HALError(
            .timedOut, "\(address) on I²C bus \(bus)", advice: "it is busy all the time; power-cycle the sensor")
    }

    /// The ids of a BMP280 (0x56 and 0x57: samples) and of a BME280.
    private static let ids: Set<UInt8> = [0x56, 0x57, 0x58, 0x60]

    /// The error, with a hint where such a chip answers at the other address.
    private func withNeighbour(_ error: HALError, _ device: I2CDevice, _ port: ComponentPort) async -> HALError {
        let other: I2CAddress = address == 0x76 ? 0x77 : 0x76
        let answer = try? await device.bus.transfer(other, write: [Register.id], readCount: 1)  // safe: only a hint
        let id = answer?.first
        guard let id, Self.ids.contains(id) else { return error }
        return HALError(
            error.kind, error.resource, errno: error.errno,
            advice: "but a sensor answers at \(other): write address = \(other), or change its SDO pin")
    }
}
