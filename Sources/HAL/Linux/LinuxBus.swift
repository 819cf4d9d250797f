import CI2C
import DeviceModel
import Glibc
import HAL

/// An I²C bus through i2c-dev.
///
/// An actor because a bus is shared and serial: transfers of different components must not mix. Its calls block, so
/// they run on a thread that belongs to the bus.
actor LinuxBus: I2CBus {
    nonisolated let number: Int

    /// No transfer may take longer.
    ///
    /// The kernel's own bound is a second.
    private static let timeout: UInt32 = 200  // ms

    private let executor: BlockingExecutor
    private var bus = ci2c_bus()

    init(_ number: Int, on executor: BlockingExecutor) throws(HALError) {
        self.number = number
        self.executor = executor
        let path = "/dev/i2c-\(number)"
        let result = ci2c_open(path, Self.timeout, &bus)
        guard result == 0 else { throw Self.openError(-result, path) }
    }

    deinit { ci2c_close(&bus) }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    func transfer(_ address: I2CAddress, write: [UInt8], readCount: Int) async throws(HALError) -> [UInt8] {
        guard (0...8_192).contains(readCount), write.count <= 8_192 else {
            throw HALError(.unsupported, resource(address), advice: "i2c-dev carries 8192 bytes at a time")
        }
        var read = [UInt8](repeating: 0, count: readCount)
        let result = write.withUnsafeBufferPointer { write in
            read.withUnsafeMutableBufferPointer { read in
                var transfer = ci2c_transfer(
                    address: address.rawValue, write: write.baseAddress, write_count: UInt16(write.count),
                    read: read.baseAddress, read_count: UInt16(read.count))
                return ci2c_perform(&bus, &transfer)
            }
        }
        guard result == 0 else { throw Self.transferError(-result, resource(address), number, address) }
        return read
    }

    // MARK: Looking around

    /// The numbers of the buses that there are.
    static var numbers: [Int] {
        directoryEntries("/dev").compactMap { $0.hasPrefix("i2c-") ? Int($0.dropFirst("i2c-".count)) : nil }.sorted()
    }

    /// What answers on this bus.
    ///
    /// - Throws: ``HALError`` when the bus is stuck.
    func inventory() throws(HALError) -> BoardInventory.Bus {
        var targets: [BoardInventory.Target] = []
        for address in I2CAddress.range {
            let presence = ci2c_probe(&bus, UInt8(address))
            if presence == -ETIMEDOUT {
                throw HALError(.timedOut, "I²C bus \(number)", errno: ETIMEDOUT, advice: Self.stuck)
            }
            if presence == Int32(CI2C_PRESENT.rawValue) || presence == Int32(CI2C_HELD_BY_DRIVER.rawValue) {
                let isHeld = presence == Int32(CI2C_HELD_BY_DRIVER.rawValue)
                targets.append(BoardInventory.Target(address: address, isHeldByDriver: isHeld))
            }
        }
        let name = readFile("/sys/class/i2c-dev/i2c-\(number)/name") ?? ""
        return BoardInventory.Bus(number: number, name: name, targets: targets)
    }

    // MARK: Errors

    private nonisolated func resource(_ address: I2CAddress) -> String { "\(address) on I²C bus \(number)" }

    private static let stuck = "the bus is stuck: power-cycle the sensor, and check SDA, SCL and their resistors"

    private static func openError(_ errno: Int32, _ path: String) -> HALError {
        switch errno {
        case ENOENT, ENODEV, ENXIO:
            HALError(
                .absent, path, errno: errno,
                advice: "switch I²C on (dtparam=i2c_arm=on in config.txt) and load i2c-dev (modprobe i2c-dev)")
        case EACCES, EPERM:
            HALError(.notPermitted, path, errno: errno, advice: "add this program's user to the group i2c")
        default: HALError(.failed, path, errno: errno)
        }
    }

    /// What an errno of a transfer means (the kernel's Documentation/i2c/fault-codes.rst).
    ///
    /// Drivers differ in how they say that nobody answered: EREMOTEIO on a Raspberry Pi, ENXIO as documented, ENODEV on
    /// i2c-stub.
    private static func transferError(
        _ errno: Int32, _ resource: String, _ number: Int, _ address: I2CAddress
    ) -> HALError {
        switch errno {
        case ENXIO, EREMOTEIO, ENODEV: HALError(.noAcknowledge, resource, errno: errno, advice: "is it connected?")
        case ETIMEDOUT: HALError(.timedOut, resource, errno: errno, advice: stuck)
        case EBUSY:
            HALError(
                .busy, resource, errno: errno,
                advice: "a kernel driver holds it; remove its overlay from config.txt, or unbind it: "
                    + "ls /sys/bus/i2c/devices/\(number)-00\(String(address.rawValue, radix: 16))/driver")
        case EOPNOTSUPP, EMSGSIZE: HALError(.unsupported, resource, errno: errno)
        default: HALError(.failed, resource, errno: errno)
        }
    }
}
