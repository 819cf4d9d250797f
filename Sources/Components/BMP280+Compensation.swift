import Glibc

extension BMP280 {
    /// The calibration of one chip, and what the data sheet computes with it: the formulas in double precision of
    /// section 8.1, BST-BMP280-DS001, revision 1.26.
    struct Calibration: Hashable, Sendable {
        /// The registers from 0x88 to 0x9F.
        static let size = 24

        private let t: [Double]
        private let p: [Double]

        /// - Parameter bytes: The registers: twelve 16-bit words, the low byte first; the first of the temperature's
        ///   and of the pressure's have no sign. nil when they are empty.
        init?(bytes: [UInt8]) {
            guard bytes.count == Self.size, Set(bytes).count > 1 else { return nil }
            let words = stride(from: 0, to: Self.size, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
            let signed = words.map { Double(Int16(bitPattern: $0)) }
            t = [Double(words[0]), signed[1], signed[2]]
            p = [Double(words[3])] + signed[4...]
            guard words[0] != 0, words[3] != 0 else { return nil }
        }

        /// `t_fine`, which the temperature and the pressure are both made of.
        func fine(_ raw: Double) -> Double {
            let first = (raw / 16_384 - t[0] / 1_024) * t[1]
            let difference = raw / 131_072 - t[0] / 8_192
            return first + difference * difference * t[2]
        }

        /// The temperature, in kelvin.
        static func kelvin(fine: Double) -> Double {
            fine / 5_120 + 273.15
        }

        /// The pressure, in pascal; nil where the calibration makes no sense.
        func pascal(_ raw: Double, fine: Double) -> Double? {
            let t = fine / 2 - 64_000
            let offset = (t * t * p[5] / 32_768 + t * p[4] * 2) / 4 + p[3] * 65_536
            let slope = (p[2] * t * t / 524_288 + p[1] * t) / 524_288
            let sensitivity = (1 + slope / 32_768) * p[0]
            guard sensitivity != 0 else { return nil }
            let pressure = (1_048_576 - raw - offset / 4_096) * 6_250 / sensitivity
            let first = p[8] * pressure * pressure / 2_147_483_648
            let second = pressure * p[7] / 32_768
            let result = pressure + (first + second + p[6]) / 16
            return result.isFinite ? result : nil
        }
    }

    /// The pressure that would be measured at sea level (the international barometric formula, as in section 3.6 of
    /// the data sheet BST-BMP180-DS000).
    ///
    /// - Parameters:
    ///   - pascal: The pressure where the sensor is.
    ///   - altitude: How high that is, in metres.
    /// - Returns: The pressure at sea level, in pascal.
    func seaLevelPressure(_ pascal: Double, altitude: Double) -> Double {
        pascal / pow(1 - altitude / 44_330, 5.255)
    }
}
