import DeviceManager
import DeviceModel
import Logging
import Synchronization
import Transport

/// What is logged, and told, of the ups and downs of the link.
final class LinkHistory: Sendable {
    private let logger: Logger
    private let state: Mutex<(incident: Incident, reason: String?)>

    init(_ logger: Logger) {
        self.logger = logger
        let incident = Incident(logger, "no link to the router", over: "the link to the router is back")
        state = Mutex((incident, nil))
    }

    /// Why the last try, or the last connection, ended; nil: none did.
    var reason: String? { state.withLock(\.reason) }

    /// The router has accepted the device.
    func opened(owner: String) {
        logger.notice("connected to the router", metadata: ["owner": "\(owner)"])
        state.withLock { state in
            state.reason = nil
            state.incident.end()
        }
    }

    /// A try ended, however far it came.
    func ended(_ reason: String) {
        state.withLock { state in
            state.reason = reason
            state.incident.happened(reason)
        }
    }
}

/// The device has no key yet: nobody has enrolled it.
struct NotEnrolled: ExplainedError {
    var code: ErrorCode { .notAuthenticated }
    var resource: String { "" }
    var description: String { "this device is not enrolled yet; run `m2m-agent enroll`" }
}

extension Error {
    /// What the end of a try means for the next one, and in words.
    ///
    /// - Parameter time: The device's clocks: a certificate can seem wrong because they are.
    /// - Returns: Both.
    func explained(by time: any TimeSource) -> (end: LinkEnd, words: String) {
        let transport = self as? TransportError
        let end = LinkEnd(
            retryAfter: (self as? LinkProblem)?.retryAfter ?? transport?.retryAfter,
            isNotEnrolled: self is NotEnrolled)
        guard transport?.kind == .untimely, !time.isWallSynchronised else { return (end, explanation) }
        let words = "\(explanation) (it says \(time.wall.rfc3339.prefix(10)), and is not synchronised yet: "
        return (end, words + "this will pass when it is)")
    }
}
