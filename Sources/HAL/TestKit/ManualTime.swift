public import DeviceModel
import Synchronization

/// A clock that stands still until a test lets it run.
///
/// A test says how far the time may run; whoever sleeps until a point before that wakes up, in the order of the
/// deadlines, and finds the clock at that point.
public final class ManualTime: TimeSource {
    private struct Sleeper {
        var id: Int
        var deadline: MonotonicTime
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now: MonotonicTime
        var limit: MonotonicTime
        var wallOffset: Int64
        var isWallSynchronised = true
        var sleepers: [Sleeper] = []
        var cancelled: Set<Int> = []
        var nextID = 0
        var watchers: [(id: Int, count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    /// The boot of this clock.
    public let boot: BootID
    private let state: Mutex<State>

    /// - Parameters:
    ///   - start: What the device's own clock says at first.
    ///   - wall: What the wall clock says at first.
    ///   - boot: The boot's 16 bytes are all this one.
    public init(
        start: MonotonicTime = MonotonicTime(nanoseconds: 1_000_000_000),
        wall: WallTime = WallTime(nanoseconds: 1_800_000_000_000_000_000), boot: UInt8 = 1
    ) {
        guard let id = BootID(bytes: [UInt8](repeating: boot, count: BootID.size)) else {
            preconditionFailure("a boot id has \(BootID.size) bytes")
        }
        self.boot = id
        state = Mutex(State(now: start, limit: start, wallOffset: wall.nanoseconds - start.nanoseconds))
    }

    /// The device's own clock.
    public var now: MonotonicTime { state.withLock { $0.now } }
    /// The wall clock.
    public var wall: WallTime { state.withLock { WallTime(nanoseconds: $0.now.nanoseconds + $0.wallOffset) } }
    /// Whether the wall clock is synchronised.
    public var isWallSynchronised: Bool { state.withLock { $0.isWallSynchronised } }

    /// Moves the clock on, waking everybody whose time comes.
    public func advance(by duration: Duration) {
        let end = now + duration
        allow(until: end)
        state.withLock { $0.now = max($0.now, end) }
    }

    /// Lets time pass in steps for as long as something takes, whenever somebody sleeps.
    public func passing<Result: Sendable>(
        by step: Duration, while body: @Sendable () async throws -> Result
    ) async rethrows -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                while !Task.isCancelled {
                    await untilSleepers()
                    advance(by: step)
                    await Task.yield()
                }
            }
            defer { group.cancelAll() }
            return try await body()
        }
    }

    /// Lets time pass by itself, up to a point: whoever sleeps until a point before it wakes at once, and finds the
    /// clock there.
    ///
    /// Good for one task that sleeps again and again.
    public func allow(until limit: MonotonicTime) {
        let woken = state.withLock { state in
            state.limit = max(state.limit, limit)
            let due = state.sleepers.filter { $0.deadline <= limit }.sorted { $0.deadline < $1.deadline }
            state.sleepers.removeAll { $0.deadline <= limit }
            if let last = due.last { state.now = max(state.now, last.deadline) }
            return due
        }
        for sleeper in woken { sleeper.continuation.resume() }
    }

    /// Sets the wall clock, as a time server or a person would.
    public func setWall(_ wall: WallTime, isSynchronised: Bool = true) {
        state.withLock { state in
            state.wallOffset = wall.nanoseconds - state.now.nanoseconds
            state.isWallSynchronised = isSynchronised
        }
    }

    /// Waits until at least so many tasks sleep, or this one is cancelled.
    public func untilSleepers(_ count: Int = 1) async {
        let id = nextID()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.sleepers.count >= count || state.cancelled.remove(id) != nil { return true }
                    state.watchers.append((id, count, continuation))
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            let watcher = state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard let index = state.watchers.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return state.watchers.remove(at: index).continuation
            }
            watcher?.resume()
        }
    }

    private func nextID() -> Int {
        state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
    }

    /// Sleeps until the test lets the clock reach the deadline.
    public func sleep(until deadline: MonotonicTime) async throws {
        let id = nextID()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let (outcome, watchers) = begin(Sleeper(id: id, deadline: deadline, continuation: continuation))
                if let outcome { continuation.resume(with: outcome) }
                for watcher in watchers { watcher.resume() }
            }
        } onCancel: {
            let sleeper = state.withLock { state -> Sleeper? in
                guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return state.sleepers.remove(at: index)
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Puts a sleeper to bed, or says how its sleep ends at once.
    private func begin(
        _ sleeper: Sleeper
    ) -> (Result<Void, any Error>?, [CheckedContinuation<Void, Never>]) {
        state.withLock { state in
            if state.cancelled.remove(sleeper.id) != nil { return (.failure(CancellationError()), []) }
            if sleeper.deadline <= state.limit {
                state.now = max(state.now, sleeper.deadline)
                return (.success(()), [])
            }
            state.sleepers.append(sleeper)
            let count = state.sleepers.count
            let watchers = state.watchers.filter { $0.count <= count }.map(\.continuation)
            state.watchers.removeAll { $0.count <= count }
            return (nil, watchers)
        }
    }
}
