import DeviceModel
import HAL

/// A line of a simulated board that is read.
struct SimulatedInputLine: InputLine {
    let board: SimulatedBoard
    let place: LineDirectory.Place
    let id: LineID
    let edges: Mailbox<LineEvent>

    /// The state after the debounce.
    func value() throws(HALError) -> LineValue {
        try board.withLines { (lines) throws(HALError) in
            try lines.checkPlugged(place)
            return lines[place].listener?.debouncer.value ?? lines.value(place)
        }
    }

    func release() {
        board.withLines { $0.release(place) }
        board.settle()
    }
}

/// A line of a simulated board that is driven.
struct SimulatedOutputLine: OutputLine {
    let board: SimulatedBoard
    let place: LineDirectory.Place
    let id: LineID
    let bias: LineBias

    func direction() throws(HALError) -> LineDirection {
        try board.withLines { (lines) throws(HALError) in
            try lines.checkPlugged(place)
            return lines[place].isDriven ? .output : .input
        }
    }

    func value() throws(HALError) -> LineValue {
        try board.withLines { (lines) throws(HALError) in
            try lines.checkPlugged(place)
            return lines.value(place)
        }
    }

    func drive(_ value: LineValue) throws(HALError) {
        try board.withLines { (lines) throws(HALError) in
            try lines.checkPlugged(place)
            lines[place].bias = bias
            lines.drive(place, value)
        }
        board.settle()
    }

    func release() {
        board.withLines { $0.release(place) }
        board.settle()
    }
}
