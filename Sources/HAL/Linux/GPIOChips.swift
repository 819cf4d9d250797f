import CGPIO
import DeviceModel
import Glibc
import HAL

/// The GPIO chips of this machine, looked at afresh each time: chips come and go, and their numbers change.
enum GPIOChips {
    /// The device files, in the order of their numbers.
    static func paths() -> [String] {
        directoryEntries("/dev").compactMap { name -> (Int, String)? in
            guard name.hasPrefix("gpiochip"), let number = Int(name.dropFirst("gpiochip".count)) else { return nil }
            return (number, "/dev/\(name)")
        }
        .sorted { $0.0 < $1.0 }.map(\.1)
    }

    /// All chips with the names of their lines, and the device file of each.
    ///
    /// - Throws: ``HALError`` when there is none, or none may be opened.
    static func directory() throws(HALError) -> (LineDirectory, paths: [String]) {
        let chips = try read { $0.name }
        let directory = LineDirectory(
            chips.map { LineDirectory.Chip(name: $0.name, label: $0.label, lineNames: $0.lines) })
        return (directory, chips.map(\.path))
    }

    /// All chips with all that is known of their lines.
    ///
    /// - Throws: ``HALError`` when there is none, or none may be opened.
    static func inventory() throws(HALError) -> [BoardInventory.Chip] {
        try read(\.self).map { BoardInventory.Chip(name: $0.name, label: $0.label, lines: $0.lines) }
    }

    /// Who holds a line; nil: nobody, or nobody knows.
    static func consumer(chip path: String, offset: Int) -> String? {
        let info = try? withChip(path) { (chip) throws(HALError) in  // safe: it only adds a name to an error
            try line(chip, path, UInt32(offset))
        }
        return info?.consumer
    }

    private struct Chip<Line> {
        var path: String
        var name: String
        var label: String
        var lines: [Line]
    }

    private static func read<Line>(_ transform: (BoardInventory.Line) -> Line) throws(HALError) -> [Chip<Line>] {
        let paths = paths()
        guard !paths.isEmpty else {
            throw HALError(
                .absent, "/dev/gpiochip*",
                advice: "this machine has no GPIO; use board.kind = \"simulated\" to try things out")
        }
        var chips: [Chip<Line>] = []
        var failure: HALError?
        for path in paths {
            do throws(HALError) {
                let chip = try withChip(path) { (handle) throws(HALError) in try read(handle, path, transform) }
                // Another name for a chip, such as the Pi 5's /dev/gpiochip4, is no second one.
                if path == "/dev/\(chip.name)" { chips.append(chip) }
            } catch {
                failure = error
            }
        }
        if chips.isEmpty, let failure { throw failure }
        return chips
    }

    private static func read<Line>(
        _ handle: OpaquePointer, _ path: String, _ transform: (BoardInventory.Line) -> Line
    ) throws(HALError) -> Chip<Line> {
        var info = cgpio_chip_info()
        try check(cgpio_chip_info(handle, &info), path)
        var lines: [Line] = []
        for offset in 0..<info.line_count { lines.append(transform(try line(handle, path, offset))) }
        return Chip(path: path, name: text(of: info.name), label: text(of: info.label), lines: lines)
    }

    private static func line(
        _ handle: OpaquePointer, _ path: String, _ offset: UInt32
    ) throws(HALError) -> BoardInventory.Line {
        var info = cgpio_line_info()
        try check(cgpio_chip_line_info(handle, offset, &info), "\(path) offset \(offset)")
        let consumer = text(of: info.consumer)
        return BoardInventory.Line(
            offset: Int(offset), name: text(of: info.name),
            direction: info.direction == CGPIO_DIRECTION_OUTPUT ? "output" : "input",
            consumer: info.is_used ? (consumer.isEmpty ? "the kernel" : consumer) : nil)
    }

    private static func withChip<Result>(
        _ path: String, _ body: (OpaquePointer) throws(HALError) -> Result
    ) throws(HALError) -> Result {
        var handle: OpaquePointer?
        try check(cgpio_chip_open(path, &handle), path)
        guard let handle else { throw HALError(.failed, path) }
        defer { cgpio_chip_close(handle) }
        return try body(handle)
    }

    private static func check(_ result: Int32, _ resource: String) throws(HALError) {
        guard result < 0 else { return }
        throw gpioError(-result, resource)
    }
}

/// What an errno of a GPIO call means (the kernel's Documentation/userspace-api/gpio).
func gpioError(_ errno: Int32, _ resource: String, advice: String = "") -> HALError {
    switch errno {
    case EBUSY: HALError(.busy, resource, errno: errno, advice: advice)
    case EACCES, EPERM:
        HALError(
            .notPermitted, resource, errno: errno, advice: "add this program's user to the group of /dev/gpiochip*")
    case ENODEV, ENOENT, ENXIO: HALError(.absent, resource, errno: errno, advice: advice)
    case EOPNOTSUPP, ENOTTY, EINVAL: HALError(.unsupported, resource, errno: errno, advice: advice)
    default: HALError(.failed, resource, errno: errno, advice: advice)
    }
}

/// The text in one of C's arrays of characters.
func text<Characters>(of characters: Characters) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
