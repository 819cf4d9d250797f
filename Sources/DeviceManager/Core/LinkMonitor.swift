public import DeviceModel
import Synchronization

/// How the link to the router is: written by whoever makes the link, read by whoever is asked.
public final class LinkMonitor: Sendable {
    private let current: Mutex<LinkStatus?>

    /// - Parameter router: The router's address; nil: there is none.
    public init(router: RouterAddress?) {
        current = Mutex(router.map { LinkStatus(router: $0.description, state: .closed) })
    }

    /// How the link is; nil: no router is configured.
    public var status: LinkStatus? { current.withLock(\.self) }

    /// The link has changed.
    public func update(_ state: LinkState, reason: String? = nil, failedAttempts: Int = 0) {
        current.withLock { status in
            status?.state = state
            status?.reason = reason
            status?.failedAttempts = failedAttempts
        }
    }
}
