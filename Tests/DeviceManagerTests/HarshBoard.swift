import DeviceModel
import Dispatch
import HAL
import HALSimulated
import Synchronization

/// A simulated board of which a test lets lines fail or hang, and asks how often they were taken.
final class HarshBoard: Board {
    private struct State {
        var broken: Set<LineReference> = []
        var hanging: Set<LineReference> = []
        var hangingWhenTaken: Set<LineReference> = []
        var blocked: [DispatchSemaphore] = []
        var taken: [LineReference: Int] = [:]
    }

    private let board: SimulatedBoard
    private let state = Mutex(State())
    /// Told of every drive that has begun to hang.
    let hangs = Mailbox<LineReference>(bound: 64, policy: .refuseNewest)

    init(_ board: SimulatedBoard) {
        self.board = board
    }

    /// From now on a line can't be had or driven.
    func breaks(_ line: LineReference) {
        state.withLock { _ = $0.broken.insert(line) }
    }

    /// A line that was broken works again.
    func mend(_ line: LineReference) {
        state.withLock { _ = $0.broken.remove(line) }
    }

    /// From now on whoever drives a line, or takes it, is held up, on whatever thread they are.
    func hang(_ line: LineReference, whenTaken: Bool = false) {
        state.withLock { _ = whenTaken ? $0.hangingWhenTaken.insert(line) : $0.hanging.insert(line) }
    }

    /// Nobody is held up any more.
    func letGo() {
        let blocked = state.withLock { state in
            (state.hanging, state.hangingWhenTaken) = ([], [])
            defer { state.blocked = [] }
            return state.blocked
        }
        for semaphore in blocked { semaphore.signal() }
    }

    /// How often a line was taken.
    func taken(_ line: LineReference) -> Int {
        state.withLock { $0.taken[line, default: 0] }
    }

    fileprivate func pass(_ line: LineReference, whenTaken: Bool = false) throws(HALError) {
        let semaphore = state.withLock { state -> DispatchSemaphore? in
            guard (whenTaken ? state.hangingWhenTaken : state.hanging).contains(line) else { return nil }
            let semaphore = DispatchSemaphore(value: 0)
            state.blocked.append(semaphore)
            return semaphore
        }
        if let semaphore {
            hangs.send(line)
            semaphore.wait()
        }
        try check(line)
    }

    private func check(_ line: LineReference) throws(HALError) {
        guard state.withLock({ $0.broken.contains(line) }) else { return }
        throw HALError(.failed, "line \(line)", advice: "the wire has come off")
    }

    private func note(_ line: LineReference) {
        state.withLock { $0.taken[line, default: 0] += 1 }
    }

    // MARK: The board

    var name: String { board.name }
    var host: any Host { board.host }

    func locate(_ line: LineReference) throws(HALError) -> LineID { try board.locate(line) }

    func requestInput(
        _ line: LineReference, _ settings: InputSettings, consumer: String
    ) throws(HALError) -> any InputLine {
        note(line)
        return try board.requestInput(line, settings, consumer: consumer)
    }

    func requestOutput(
        _ line: LineReference, _ settings: OutputSettings, consumer: String
    ) throws(HALError) -> any OutputLine {
        try pass(line, whenTaken: true)
        note(line)
        let output = try board.requestOutput(line, settings, consumer: consumer)
        return HarshLine(line: output, reference: line, board: self)
    }

    func bus(_ number: Int) throws(HALError) -> any I2CBus { try board.bus(number) }

    func inventory() async -> BoardInventory { await board.inventory() }
}

/// An output line of a harsh board.
private struct HarshLine: OutputLine {
    let line: any OutputLine
    let reference: LineReference
    let board: HarshBoard

    var id: LineID { line.id }

    func direction() throws(HALError) -> LineDirection { try line.direction() }

    func value() throws(HALError) -> LineValue { try line.value() }

    func drive(_ value: LineValue) throws(HALError) {
        try board.pass(reference)
        try line.drive(value)
    }

    func release() { line.release() }
}
