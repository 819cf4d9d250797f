import Components
import DeviceModel
import HAL
import Synchronization

@testable import DeviceManager

/// Somebody who holds output lines in place of the agent, and writes down all that is asked of them.
final class TestHolder: OutputHolder {
    /// What was asked.
    enum Deed: Hashable, Sendable {
        case took(ComponentID)
        case drove(ComponentID, LineValue)
        case released(ComponentID)
    }

    private struct State {
        var found: [ComponentID: FoundOutput]
        var deeds: [Deed] = []
        var deadlines: [ComponentID: MonotonicTime] = [:]
        var beats = 0
        var isConfigured = false
        var ranUnconfigured = false
        var hear: (@Sendable (OutputNews) -> Void)?
        var unheard: [OutputNews] = []
    }

    let notes: [String] = []
    let heartbeat: Duration?
    private let state: Mutex<State>
    private let onDrive: @Sendable () -> Void

    /// - Parameters:
    ///   - heartbeat: How often it wants to hear of the agent; nil: never, because it dies with it.
    ///   - found: How its outputs are found; those that are not named are safe.
    ///   - onDrive: Called before every drive.
    init(
        heartbeat: Duration? = nil, found: [ComponentID: FoundOutput] = [:],
        onDrive: @escaping @Sendable () -> Void = {}
    ) {
        self.heartbeat = heartbeat
        self.onDrive = onDrive
        state = Mutex(State(found: found))
    }

    /// All that was asked, oldest first.
    var deeds: [Deed] { state.withLock(\.deeds) }
    /// All drives, oldest first.
    var drives: [Deed] { deeds.filter { if case .drove = $0 { true } else { false } } }
    /// How often it was told that the agent lives.
    var beats: Int { state.withLock(\.beats) }

    /// Whether it ran before it was told which outputs there are.
    var ranUnconfigured: Bool { state.withLock(\.ranUnconfigured) }

    /// Until when it was told to leave an output away from safe.
    func deadline(_ id: ComponentID) -> MonotonicTime? {
        state.withLock { $0.deadlines[id] }
    }

    /// Forgets what was asked so far.
    func forgetDeeds() {
        state.withLock { $0.deeds = [] }
    }

    // MARK: What the agent asks

    /// It does something by itself.
    func tell(_ news: OutputNews) {
        let hear = state.withLock { state in
            if state.hear == nil { state.unheard.append(news) }
            return state.hear
        }
        hear?(news)
    }

    func listen(_ hear: @escaping @Sendable (OutputNews) -> Void) {
        let unheard = state.withLock { state in
            state.hear = hear
            return state.unheard
        }
        for news in unheard { hear(news) }
    }

    func settled() async {}

    func configure(_ outputs: [ComponentID: OutputPlan]) {
        state.withLock { $0.isConfigured = true }
    }

    func run() async {
        state.withLock { $0.ranUnconfigured = !$0.isConfigured }
    }

    func take(_ id: ComponentID, _ plan: OutputPlan) async throws(HALError) -> any HeldOutput {
        let found = state.withLock { state in
            state.deeds.append(.took(id))
            return state.found[id] ?? FoundOutput(value: plan.rules.safe)
        }
        return TestOutput(id: id, holder: self, found: found)
    }

    fileprivate func drive(_ id: ComponentID, _ value: LineValue, until: MonotonicTime?) {
        onDrive()
        state.withLock { state in
            state.deeds.append(.drove(id, value))
            state.deadlines[id] = until
        }
    }

    fileprivate func release(_ id: ComponentID) {
        state.withLock { $0.deeds.append(.released(id)) }
    }

    func beat() {
        state.withLock { $0.beats += 1 }
    }
}

/// An output of a ``TestHolder``.
private struct TestOutput: HeldOutput {
    let id: ComponentID
    let holder: TestHolder
    let found: FoundOutput

    func drive(
        _ value: LineValue, until: MonotonicTime?, notAfter: MonotonicTime?
    ) async throws(HALError) -> Bool {
        holder.drive(id, value, until: until)
        return true
    }

    func keep(
        _ value: LineValue, until: MonotonicTime?, notAfter: MonotonicTime?
    ) async throws(HALError) -> Bool { try await drive(value, until: until, notAfter: notAfter) }

    func release() async { holder.release(id) }
}
