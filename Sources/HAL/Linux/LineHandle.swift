import CGPIO
import DeviceModel
import Glibc
import HAL
import Synchronization

/// A requested line, closed once: cgpio's handle behind a lock, because the component and the reader of edges share it.
final class LineHandle: Sendable {
    let id: LineID
    /// The handle as a number: a pointer itself may not go from task to task.
    private let line: Mutex<UInt?>

    private init(_ line: OpaquePointer, _ id: LineID) {
        self.line = Mutex(UInt(bitPattern: line))
        self.id = id
    }

    deinit { release() }

    /// Finds and takes a line.
    static func request(
        _ reference: LineReference, _ settings: cgpio_settings, consumer: String
    ) throws(HALError) -> LineHandle {
        let (directory, paths) = try GPIOChips.directory()
        let place = try directory.find(reference)
        let path = paths[place.chip]
        var settings = settings
        var line: OpaquePointer?
        let result = cgpio_line_request(path, UInt32(place.offset), consumer, &settings, &line)
        guard result == 0, let line else {
            let holder = GPIOChips.consumer(chip: path, offset: place.offset)
            let advice = result == -EBUSY ? "it is held by \"\(holder ?? "somebody who gave no name")\"" : ""
            throw gpioError(-result, "line \(reference) (\(directory.words(place)))", advice: advice)
        }
        let id = LineID(
            chip: directory.chips[place.chip].label, offset: place.offset, name: reference.description)
        return LineHandle(line, id)
    }

    func release() {
        line.withLock { line in
            if let open = line.flatMap(OpaquePointer.init(bitPattern:)) { cgpio_line_release(open) }
            line = nil
        }
    }

    /// Does something with the line.
    ///
    /// - Parameter call: A call of cgpio; what is negative is an errno.
    /// - Returns: What the call gave.
    /// - Throws: ``HALError`` of that errno, and when the line was released before.
    @discardableResult
    func perform(_ call: (OpaquePointer) -> Int32) throws(HALError) -> Int32 {
        let result = line.withLock { line in line.flatMap(OpaquePointer.init(bitPattern:)).map(call) }
        guard let result else { throw HALError(.failed, "line \(id.name)", advice: "it was released before") }
        guard result >= 0 else { throw gpioError(-result, "line \(id)") }
        return result
    }
}
