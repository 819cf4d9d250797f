import DeviceModel

/// Makes clicks of the edges of a button.
///
/// A plain value: edges and time go in, names of events come out.
///
/// `pressed` and `released` come at once. A click is told when no second one can follow any more; a long press is told
/// while the button is still held, and is then no click.
struct ClickDetector {
    /// An event and its moment.
    struct Detected: Hashable {
        var event: String
        var time: MonotonicTime
    }

    private let longPress: Duration
    private let doubleClick: Duration
    private var isPressed: Bool
    /// Since when it is held; nil: not, or it is held too long already, or since before we looked.
    private var heldSince: MonotonicTime?
    /// When the first click of perhaps two ended.
    private var clickedAt: MonotonicTime?

    /// - Parameters:
    ///   - longPress: Held for so long it is a long press.
    ///   - doubleClick: A second press within this time after the first release makes a double click; zero: never.
    ///   - isPressed: Whether it is held at the beginning, which is a state and no event.
    init(longPress: Duration, doubleClick: Duration, isPressed: Bool) {
        self.longPress = longPress
        self.doubleClick = doubleClick
        self.isPressed = isPressed
    }

    /// When ``tick(at:)`` is due; nil: not before the next edge.
    var deadline: MonotonicTime? {
        if let heldSince { return heldSince + longPress }
        return isPressed ? nil : clickedAt.map { $0 + doubleClick }
    }

    /// The button was pressed or released.
    mutating func edge(isPressed now: Bool, at time: MonotonicTime) -> [Detected] {
        var detected = tick(at: time)
        guard now != isPressed else { return detected }  // an edge between was lost
        isPressed = now
        guard !now else {
            heldSince = time
            return detected + [Detected(event: "pressed", time: time)]
        }
        detected.append(Detected(event: "released", time: time))
        guard heldSince != nil else { return detected }  // it was a long press, or began before we looked
        heldSince = nil
        if clickedAt != nil {
            clickedAt = nil
            detected.append(Detected(event: "double-clicked", time: time))
        } else if doubleClick == .zero {
            detected.append(Detected(event: "clicked", time: time))
        } else {
            clickedAt = time
        }
        return detected
    }

    /// Time passed.
    mutating func tick(at now: MonotonicTime) -> [Detected] {
        var detected: [Detected] = []
        if let first = clickedAt, !isPressed, first + doubleClick <= now {
            clickedAt = nil
            detected.append(Detected(event: "clicked", time: first + doubleClick))
        }
        if let since = heldSince, since + longPress <= now {
            heldSince = nil
            if clickedAt != nil {  // the first of two was a click, the second is none
                clickedAt = nil
                detected.append(Detected(event: "clicked", time: since + longPress))
            }
            detected.append(Detected(event: "long-pressed", time: since + longPress))
        }
        return detected
    }
}
