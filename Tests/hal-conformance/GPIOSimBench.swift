import DeviceModel
import Glibc
import HAL
import HALLinux
import HALTestKit

/// This machine's own board, where the kernel's gpio-sim plays the lines and i2c-stub a BMP280: what Scripts/vm starts.
///
/// gpio-sim shows each line in a folder: what is written to `pull` moves an input from outside, and `value` tells the
/// voltage, whoever drives it (the kernel's Documentation/admin-guide/gpio/gpio-sim.rst).
struct GPIOSimBench: BoardBench {
    let board: any Board
    let time: any TimeSource
    let input = LineReference.name("GPIO17")
    let output = LineReference.name("GPIO5")
    let bus = 1
    let sensor: I2CAddress = 0x76
    let silent: I2CAddress = 0x40
    let ambiguous: LineReference?

    /// A bench.
    ///
    /// - Parameter ambiguous: A name that two lines have; nil: none.
    /// - Throws: When this machine has no clock.
    init(ambiguous: LineReference?) throws {
        time = try SystemTime()
        board = LinuxBoard(stateDirectory: "/", time: time)
        self.ambiguous = ambiguous
    }

    func drive(_ line: LineReference, high: Bool) async throws {
        let file = try open(line, "pull", O_WRONLY)
        defer { close(file) }
        let pull = Array((high ? "pull-up" : "pull-down").utf8)
        guard write(file, pull, pull.count) == pull.count else { throw BenchError(line: line, errno: errno) }
    }

    func isHigh(_ line: LineReference) async throws -> Bool {
        let file = try open(line, "value", O_RDONLY)
        defer { close(file) }
        var byte: UInt8 = 0
        guard read(file, &byte, 1) == 1 else { throw BenchError(line: line, errno: errno) }
        return byte == UInt8(ascii: "1")
    }

    func pass(_ duration: Duration) async throws {
        try await time.sleep(until: time.now + duration)
    }

    /// The line by its number on the header, whatever it is called.
    private func open(_ line: LineReference, _ name: String, _ flags: Int32) throws -> Int32 {
        guard case .name(let text) = line, let offset = Int(text.dropFirst("GPIO".count)) else {
            throw BenchError(line: line, errno: EINVAL)
        }
        let file = Glibc.open("/run/gpio-sim/pinctrl-bcm2711/sim_gpio\(offset)/\(name)", flags)
        guard file >= 0 else { throw BenchError(line: line, errno: errno) }
        return file
    }
}

/// The bench itself failed, and not the board on it.
struct BenchError: Error, CustomStringConvertible {
    let line: LineReference
    let errno: Int32

    var description: String { "the bench could not reach \(line) in /run/gpio-sim: \(errorText(errno))" }
}
