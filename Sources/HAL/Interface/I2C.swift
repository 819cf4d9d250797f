public import DeviceModel

/// A bus on which this program is the controller.
///
/// A bus is shared: each transfer is one transaction that nothing interrupts, and transfers of different components
/// come one after the other. A driver never owns a bus.
public protocol I2CBus: Sendable {
    /// Its number: 1 for `/dev/i2c-1`.
    var number: Int { get }

    /// Writes, then reads in the same transaction.
    ///
    ///     START addr+W  write[0] … write[n-1]  REPEATED START addr+R  read[0] … read[m-1]  STOP
    ///
    /// - Parameters:
    ///   - address: The target.
    ///   - write: What is written first; may be empty where something is read.
    ///   - readCount: How many bytes are read afterwards; 0 for none.
    /// - Returns: The bytes read, exactly `readCount` of them.
    /// - Throws: ``HALError``: `noAcknowledge` when the target is missing, `busy` when a kernel driver holds it,
    ///   `timedOut` when the bus is stuck. It returns within a second, come what may.
    func transfer(_ address: I2CAddress, write: [UInt8], readCount: Int) async throws(HALError) -> [UInt8]
}

/// One target on a bus, with registers of one byte, and patience for a bus that is disturbed now and then.
public struct I2CDevice: Sendable {
    /// The bus.
    public let bus: any I2CBus
    /// The target on it.
    public let address: I2CAddress
    private let time: any TimeSource

    /// The pauses before the second and the third try of a transfer.
    static let pauses: [Duration] = [.milliseconds(2), .milliseconds(10)]

    /// A target on a bus.
    ///
    /// - Parameters:
    ///   - bus: The bus.
    ///   - address: The target on it.
    ///   - time: The clock of the pauses between tries.
    public init(bus: any I2CBus, address: I2CAddress, time: any TimeSource) {
        self.bus = bus
        self.address = address
        self.time = time
    }

    /// Reads registers that follow each other.
    ///
    /// - Throws: ``HALError`` after the third try, or `CancellationError`.
    public func read(_ register: UInt8, count: Int) async throws -> [UInt8] {
        let bytes = try await patiently { () throws(HALError) in
            try await bus.transfer(address, write: [register], readCount: count)
        }
        guard bytes.count == count else { throw HALError(.failed, "\(address) on I²C bus \(bus.number)") }
        return bytes
    }

    /// Reads one register.
    ///
    /// - Throws: ``HALError`` after the third try, or `CancellationError`.
    public func read(_ register: UInt8) async throws -> UInt8 {
        try await read(register, count: 1)[0]
    }

    /// Writes one register.
    ///
    /// - Throws: ``HALError`` after the third try, or `CancellationError`.
    public func write(_ register: UInt8, _ value: UInt8) async throws {
        _ = try await patiently { () throws(HALError) in
            try await bus.transfer(address, write: [register, value], readCount: 0)
        }
    }

    private func patiently(_ transfer: () async throws(HALError) -> [UInt8]) async throws -> [UInt8] {
        for pause in Self.pauses {
            do {
                return try await transfer()
            } catch  where error.kind == .busy || error.kind == .unsupported || error.kind == .notPermitted {
                throw error  // a second try changes nothing
            } catch {
                try await time.sleep(until: time.now + pause)
            }
        }
        return try await transfer()
    }
}
