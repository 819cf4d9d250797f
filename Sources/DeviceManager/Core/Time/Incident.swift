public import Logging

/// Something that goes wrong again and again, logged once when it begins, once when it is over, and counted in between.
public struct Incident: Sendable {
    private let logger: Logger
    private let begun: Logger.Message
    private let over: Logger.Message
    private var count = 0
    private var reason = ""

    /// - Parameters:
    ///   - logger: Where it is logged.
    ///   - begun: What is logged when it begins, or goes on for another reason.
    ///   - over: What is logged when it is over.
    public init(_ logger: Logger, _ begun: Logger.Message, over: Logger.Message) {
        self.logger = logger
        self.begun = begun
        self.over = over
    }

    /// Whether it is going on.
    public var isOn: Bool { count > 0 }

    /// It happened, or happened again.
    public mutating func happened(_ reason: String) {
        count += 1
        guard reason != self.reason else { return }
        self.reason = reason
        logger.warning(begun, metadata: ["reason": "\(reason)", "count": "\(count)"])
    }

    /// It is over, if it was going on.
    public mutating func end() {
        guard isOn else { return }
        logger.notice(over, metadata: ["count": "\(count)"])
        (count, reason) = (0, "")
    }
}
