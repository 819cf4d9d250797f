import DeviceModel
import Synchronization

/// The time of a simulated world: it stands still until somebody moves it.
final class WorldTime: Sendable {
    private let elapsed = Mutex<Duration>(.zero)

    /// How long the world has existed.
    var now: Duration {
        get { elapsed.withLock(\.self) }
        set { elapsed.withLock { $0 = newValue } }
    }

    /// What a clock that is right says when the world begins: 2026-11-22, at noon.
    static let beginning = WallTime(nanoseconds: 1_795_348_800_000_000_000)

    /// What a clock that is right says now.
    var wall: WallTime { Self.beginning + now }
}

/// The clocks of one machine in the world, from one boot to the next.
final class SimulatedClock: TimeSource {
    private struct State {
        var bootedAt: Duration
        /// By how much the wall clock is wrong.
        var error: Duration
        var isSynchronised: Bool
    }

    let boot: BootID
    private let world: WorldTime
    private let state: Mutex<State>

    /// A machine boots.
    ///
    /// - Parameters:
    ///   - world: The world in which it does.
    ///   - boot: The boot's id.
    ///   - error: By how much its wall clock is wrong.
    ///   - isSynchronised: Whether it knows that it is right.
    init(_ world: WorldTime, boot: BootID, error: Duration = .zero, isSynchronised: Bool = true) {
        self.boot = boot
        self.world = world
        state = Mutex(State(bootedAt: world.now, error: error, isSynchronised: isSynchronised))
    }

    var now: MonotonicTime {
        MonotonicTime(nanoseconds: (world.now - state.withLock(\.bootedAt)).nanoseconds + 1_000_000_000)
    }
    var wall: WallTime { world.wall + state.withLock(\.error) }
    var isWallSynchronised: Bool { state.withLock(\.isSynchronised) }

    /// The wall clock is set.
    func set(error: Duration, isSynchronised: Bool) {
        state.withLock { ($0.error, $0.isSynchronised) = (error, isSynchronised) }
    }

    /// What was meant by a point of this clock.
    func trueWall(of moment: MonotonicTime) -> WallTime {
        world.wall - (now - moment)
    }

    /// Nothing waits in a simulation: it is woken.
    func sleep(until deadline: MonotonicTime) async throws {
        throw CancellationError()
    }
}
