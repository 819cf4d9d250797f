import DeviceModel
import Synchronization
import Transport

/// Ends a connection on which nothing comes for too long: whoever waits for it finds it closed.
struct TimeLimit: ~Copyable {
    /// How long it is.
    let duration: Duration
    private let timer: Task<Void, Never>?
    private let state: Flag

    private final class Flag: Sendable {
        let isOver = Mutex(false)
    }

    /// Begins; nil: there is none.
    init(_ duration: Duration?, on channel: MessageChannel, _ time: any TimeSource) {
        self.duration = duration ?? .zero
        let state = Flag()
        self.state = state
        timer = duration.map { time.now + $0 }.map { end in
            Task {
                do {
                    try await time.sleep(until: end)
                    state.isOver.withLock { $0 = true }
                    channel.abort()
                } catch {
                    // Something came.
                }
            }
        }
    }

    /// Whether it has ended the connection.
    var isOver: Bool { state.isOver.withLock(\.self) }

    /// Something came: it does not count any more.
    func cancel() { timer?.cancel() }
}
