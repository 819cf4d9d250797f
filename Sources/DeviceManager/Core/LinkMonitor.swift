public import DeviceModel
import Synchronization

/// How the link to the router is: written by whoever makes the link, read by whoever is asked.
public final class LinkMonitor: Sendable {
    private let current: Mutex<LinkStatus?>
    private let onChange: @Sendable (LinkState) -> Void

    /// - Parameters:
    ///   - router: The router's address; nil: there is none.
    ///   - onChange: Told of every state, in order. It must not wait.
    public init(router: RouterAddress?, onChange: @escaping @Sendable (LinkState) -> Void = { _ in }) {
        current = Mutex(router.map { LinkStatus(router: $0.description, state: .closed) })
        self.onChange = onChange
    }

    /// How the link is; nil: no router is configured.
    public var status: LinkStatus? { current.withLock(\.self) }

    /// The link has changed.
    public func update(_ state: LinkState, reason: String? = nil, failedAttempts: Int = 0) {
        current.withLock { status in
            status?.state = state
            status?.reason = reason
            status?.failedAttempts = failedAttempts
            onChange(state)
        }
    }
}
