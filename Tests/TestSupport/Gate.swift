public import DeviceModel
import Synchronization

/// Something that hangs while it is shut, as a disk or a driver does: no cancellation reaches whoever waits.
public final class Gate<Visitor: Sendable>: Sendable {
    private struct State {
        var isShut: Bool
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>
    /// Told of everybody who has begun to hang.
    public let hangs = Mailbox<Visitor>(bound: 64, policy: .refuseNewest)

    /// Makes one.
    ///
    /// - Parameter isShut: Whether it is shut at first.
    public init(isShut: Bool = false) {
        state = Mutex(State(isShut: isShut))
    }

    /// From now on everybody is held up.
    public func shut() {
        state.withLock { $0.isShut = true }
    }

    /// Nobody is held up any more.
    public func open() {
        let waiting = state.withLock { state in
            state.isShut = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for visitor in waiting { visitor.resume() }
    }

    /// Returns when it is open.
    public func pass(_ visitor: Visitor) async {
        await withCheckedContinuation { continuation in
            let isShut = state.withLock { state in
                if state.isShut { state.waiting.append(continuation) }
                return state.isShut
            }
            if isShut { hangs.send(visitor) } else { continuation.resume() }
        }
    }
}
