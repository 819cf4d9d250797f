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
    func opened(_ opening: LinkSession.Opening) {
        logger.notice("connected to the router", metadata: ["owner": "\(opening.owner)"])
        if let alarm = opening.alarm {
            logger.error(
                "the router withholds commands from this device until its owner trusts it again with `m2m enable`",
                metadata: ["reason": "\(alarm)"])
        }
        if opening.isLogCut {
            logger.error(
                "the router's audit log is not the one that this device remembers: entries were cut off, or rewritten")
        }
        state.withLock { state in
            state.reason = nil
            state.incident.end()
        }
    }

    /// The count of connections can't be written down.
    func forgets(_ problem: FileError) {
        logger.warning(
            "the count of connections is not kept, for which the router may take this device for a copy of itself",
            metadata: ["reason": "\(problem)"])
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
