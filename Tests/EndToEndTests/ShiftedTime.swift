import DeviceModel
import Synchronization

/// The clocks of one machine in a house of several: they go as fast as the real ones, say something else, and go on by
/// hours when a test wants it.
final class ShiftedTime: TimeSource {
    private struct State {
        /// How far the machine's own clock is ahead of the real one.
        var ahead: Duration
        var sleepers: [Int: Mailbox<Void>] = [:]
        var next = 0
    }

    let boot: BootID
    private let real: SystemTime
    private let wallAhead: Duration
    private let state: Mutex<State>

    /// - Parameters:
    ///   - boot: The boot's 16 bytes are all this one.
    ///   - ahead: How far the machine's own clock is ahead of the real one.
    ///   - wallAhead: How far its wall clock is.
    /// - Throws: ``SystemTimeError`` when this machine has no clocks to go by.
    init(boot: BootID, ahead: Duration = .zero, wallAhead: Duration = .zero) throws {
        self.boot = boot
        self.wallAhead = wallAhead
        real = try SystemTime()
        state = Mutex(State(ahead: ahead))
    }

    var now: MonotonicTime { real.now + state.withLock(\.ahead) }
    var wall: WallTime { real.wall + wallAhead + state.withLock(\.ahead) }
    let isWallSynchronised = true

    /// Lets time pass, without anybody waiting for it; whoever sleeps that long wakes up.
    func pass(_ duration: Duration) {
        let sleepers = state.withLock { state in
            state.ahead += duration
            return state.sleepers.values.map(\.self)
        }
        for sleeper in sleepers { sleeper.send(()) }
    }

    func sleep(until deadline: MonotonicTime) async throws {
        let waking = Mailbox<Void>(bound: 1, policy: .refuseNewest)
        let id = state.withLock { state in
            state.next += 1
            state.sleepers[state.next] = waking
            return state.next
        }
        defer { state.withLock { $0.sleepers[id] = nil } }
        try Task.checkCancellation()
        while now < deadline {
            _ = await waking.next(until: real.now + (deadline - now), on: real)
            try Task.checkCancellation()
        }
    }
}
