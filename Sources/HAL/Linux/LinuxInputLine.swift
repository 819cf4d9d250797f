import CGPIO
import DeviceModel
@preconcurrency import Dispatch  // its sources are safe to share, but not marked so
import HAL
import Synchronization

/// A line that is read through libgpiod.
///
/// Its edges are read on the queue of all edges. Where the kernel does not debounce, the edges go through a
/// ``Debouncer`` there, with a timer on the same queue.
final class LinuxInputLine: InputLine {
    let id: LineID
    let edges = Mailbox<LineEvent>(bound: 64, policy: .dropOldest)

    private struct State {
        var debouncer: Debouncer
        /// The last level that the kernel told, before the debounce.
        var level: LineValue
        var isTimerSet = false
        var isReleased = false
    }

    private let handle: LineHandle
    private let queue: DispatchQueue
    private let source: any DispatchSourceRead
    private let isClosed = DispatchSemaphore(value: 0)
    private let time: any TimeSource
    private let state: Mutex<State>

    /// - Parameters:
    ///   - handle: The line, requested with edges.
    ///   - debounce: What is left to do after the kernel.
    ///   - queue: Where edges are read.
    ///   - time: The clock of the debounce.
    /// - Throws: ``HALError`` when the line can't be read.
    init(_ handle: LineHandle, debounce: Duration, queue: DispatchQueue, time: any TimeSource) throws(HALError) {
        self.handle = handle
        self.queue = queue
        self.time = time
        id = handle.id
        let level = LineValue(cgpio: try handle.perform(cgpio_line_get))
        state = Mutex(State(debouncer: Debouncer(period: debounce, value: level), level: level))
        let descriptor = try handle.perform(cgpio_line_fd)
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        source.setEventHandler { [weak self] in self?.readEdges() }
        // The descriptor must stay open until the source has let go of it.
        source.setCancelHandler { [isClosed] in
            handle.release()
            isClosed.signal()
        }
        source.activate()
    }

    deinit { source.cancel() }

    func value() throws(HALError) -> LineValue {
        let level = LineValue(cgpio: try handle.perform(cgpio_line_get))
        return state.withLock { $0.debouncer.deadline == nil && $0.level == level ? level : $0.debouncer.value }
    }

    func release() {
        let isFirst = state.withLock { state in
            defer { state.isReleased = true }
            return !state.isReleased
        }
        guard isFirst else { return }
        source.cancel()
        isClosed.wait()  // so that whoever asks for the line next gets it
        edges.finish()
    }

    // MARK: On the queue

    private func readEdges() {
        do throws(HALError) {
            while let (value, moment) = try readEdge() { tell(value, at: moment) }
            // Whatever was lost on the way, the level is the truth.
            let level = LineValue(cgpio: try handle.perform(cgpio_line_get))
            if state.withLock({ $0.level }) != level { tell(level, at: time.now) }
        } catch {
            edges.send(.failed(error))
            source.cancel()
        }
    }

    private func readEdge() throws(HALError) -> (LineValue, MonotonicTime)? {
        var event = cgpio_event()
        guard try handle.perform({ cgpio_line_read_event($0, &event) }) > 0 else { return nil }
        let moment = MonotonicTime(nanoseconds: Int64(clamping: event.timestamp_ns))
        return (event.is_rising ? .active : .inactive, moment)
    }

    private func tell(_ value: LineValue, at moment: MonotonicTime) {
        send(
            state.withLock { state in
                state.level = value
                return state.debouncer.edge(value, at: moment)
            })
    }

    private func send(_ counted: [Debouncer.Edge]) {
        for edge in counted { edges.send(.edge(edge.value, at: edge.time)) }
        setTimer()
    }

    /// Sets the timer for the end of the debounce period, unless it is set already.
    private func setTimer() {
        let deadline = state.withLock { state -> MonotonicTime? in
            guard !state.isTimerSet, let deadline = state.debouncer.deadline else { return nil }
            state.isTimerSet = true
            return deadline
        }
        guard let deadline else { return }
        let rest = max(0, (deadline - time.now).nanoseconds)
        queue.asyncAfter(deadline: .now() + .nanoseconds(Int(rest))) { [weak self] in self?.endPeriod() }
    }

    private func endPeriod() {
        let now = time.now
        send(
            state.withLock { state in
                state.isTimerSet = false
                return state.debouncer.tick(at: now)
            })
    }
}
