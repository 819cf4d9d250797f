public import DeviceModel

/// Why the hardware did not do what was asked.
public struct HALError: ExplainedError, Hashable {
    /// What went wrong, in kinds to which a caller can react.
    public enum Kind: Sendable {
        /// There is no such chip, line or bus.
        case absent
        /// Two lines have this name.
        case ambiguous
        /// Somebody else holds it.
        case busy
        /// The target did not answer: it may be missing.
        case noAcknowledge
        /// The bus is stuck, or the target too slow.
        case timedOut
        /// This process may not use it.
        case notPermitted
        /// The hardware or its driver can't do this.
        case unsupported
        /// Anything else that the system reported.
        case failed
    }

    /// What went wrong.
    public let kind: Kind
    /// What it happened to, such as `line GPIO17` or `0x76 on /dev/i2c-1`.
    public let resource: String
    /// What the system said; 0 where it said nothing.
    public let errno: Int32
    /// What to do or who is in the way, as the end of a sentence; empty where there is nothing to add.
    public let advice: String

    /// A failure of a piece of hardware.
    public init(_ kind: Kind, _ resource: String, errno: Int32 = 0, advice: String = "") {
        self.kind = kind
        self.resource = resource
        self.errno = errno
        self.advice = advice
    }

    /// The kind in the vocabulary of all programs.
    public var code: ErrorCode {
        switch kind {
        case .absent, .noAcknowledge: .notFound
        case .ambiguous: .badRequest
        case .busy: .busy
        case .timedOut, .failed: .systemFailure
        case .notPermitted: .notPermitted
        case .unsupported: .unsupported
        }
    }

    /// The failure in words.
    public var description: String {
        let what =
            switch kind {
            case .absent: "\(resource) does not exist"
            case .ambiguous: "\(resource) exists more than once"
            case .busy: "\(resource) is in use"
            case .noAcknowledge: "nothing answers at \(resource)"
            case .timedOut: "\(resource) did not answer in time"
            case .notPermitted: "\(resource) may not be used by this process"
            case .unsupported: "\(resource) can't do this"
            case .failed: "\(resource) failed"
            }
        let cause = errno == 0 ? "" : " (\(errorText(errno)))"
        return what + cause + (advice.isEmpty ? "" : "; \(advice)")
    }
}
