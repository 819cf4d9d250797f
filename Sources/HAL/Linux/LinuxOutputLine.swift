import CGPIO
import HAL
import Synchronization

/// A line that is driven through libgpiod.
final class LinuxOutputLine: OutputLine {
    let id: LineID
    private let handle: LineHandle
    private let settings: cgpio_settings
    /// Whether the line is an output of ours yet, or still as it was found.
    private let isDriven: Mutex<Bool>

    init(_ handle: LineHandle, _ settings: cgpio_settings, isDriven: Bool) {
        self.handle = handle
        self.settings = settings
        self.isDriven = Mutex(isDriven)
        id = handle.id
    }

    func direction() throws(HALError) -> LineDirection {
        try handle.perform(cgpio_line_direction) == Int32(CGPIO_DIRECTION_OUTPUT.rawValue) ? .output : .input
    }

    func value() throws(HALError) -> LineValue {
        LineValue(cgpio: try handle.perform(cgpio_line_get))
    }

    func drive(_ value: LineValue) throws(HALError) {
        try isDriven.withLock { (isDriven) throws(HALError) in
            if isDriven {
                try handle.perform { cgpio_line_set($0, value.cgpio) }
            } else {
                var output = settings
                output.value = value.cgpio
                try handle.perform { cgpio_line_reconfigure($0, &output) }
                isDriven = true
            }
        }
    }

    func release() { handle.release() }
}
