public import DeviceModel
import NIOCore
import NIOPosix
import NIOSSL

/// Why a connection was not made, or ended.
public struct TransportError: ExplainedError {
    /// What happened.
    public enum Kind: Hashable, Sendable {
        /// Nobody answers there.
        case unreachable
        /// The other end can't be trusted: its certificate, its version of TLS or its ciphers are not good enough.
        case untrusted
        /// The other end's certificate is not good at this time, by this machine's clock.
        case untimely
        /// The other end is no server of this kind, or does not want us now.
        case rejected
        /// The other end broke the rules.
        case violation
        /// A message is longer than allowed.
        case tooLong
        /// Somebody else has the place.
        case occupied
        /// The connection was lost.
        case lost
    }

    /// What happened.
    public let kind: Kind
    /// The other end.
    public let resource: String
    /// What happened, in words, as the rest of a sentence that begins with the other end.
    public let cause: String
    /// How long to wait before the next try; nil: the other end did not say.
    public let retryAfter: Duration?

    /// A connection that was not made, or ended.
    public init(_ kind: Kind, _ resource: String, _ cause: String, retryAfter: Duration? = nil) {
        self.kind = kind
        self.resource = resource
        self.cause = cause
        self.retryAfter = retryAfter
    }

    /// The kind in the vocabulary of all programs.
    public var code: ErrorCode {
        switch kind {
        case .unreachable, .lost: .unreachable
        case .untrusted, .untimely: .untrusted
        case .rejected: .refused
        case .violation: .badRequest
        case .tooLong: .tooLarge
        case .occupied: .busy
        }
    }

    /// What happened, in words.
    public var description: String { "\(resource) \(cause)" }

    /// Whatever the network threw, in words.
    init(_ error: any Error, resource: String) {
        switch error {
        case let error as TransportError: self = error
        case let error as NIOConnectionError: self.init(.unreachable, resource, Self.words(error))
        case let error as IOError: self.init(.lost, resource, "is gone: \(errorText(error.errnoCode))")
        case ChannelError.connectTimeout:
            self.init(
                .unreachable, resource,
                "does not answer: no reply in time; is it on, and does nothing in between block it?")
        case NIOSSLError.uncleanShutdown:
            // The other end let go of it without the goodbye of TLS, as a program does that stops, or loses patience.
            self.init(.lost, resource, "is gone: it has hung up")
        case is ChannelError: self.init(.lost, resource, "is gone: the connection was closed")
        default: self.init(.lost, resource, "is gone: \(error)")
        }
    }

    private static func words(_ error: NIOConnectionError) -> String {
        guard let failure = error.connectionErrors.first?.error else { return "cannot be found: no such name" }
        switch failure {
        case let failure as IOError: return "does not answer: \(errorText(failure.errnoCode))"
        case ChannelError.connectTimeout: return "does not answer: no reply in time"
        default: return "does not answer: \(failure)"
        }
    }
}
