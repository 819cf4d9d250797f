public import NIOCore
import NIOSSL

extension Channel {
    /// Hangs up without a word, also over TLS; from any thread.
    ///
    /// A close in order says goodbye in TLS (RFC 8446, section 6.1), and NIOSSL waits five seconds for the answer: who
    /// says nothing to anything else need not answer that either.
    public func hangUp() {
        guard eventLoop.inEventLoop else { return eventLoop.execute { [self] in hangUp() } }
        let tls = try? pipeline.syncOperations.context(handlerType: NIOSSLHandler.self)  // safe: nil without TLS
        if let tls { tls.close(mode: .all, promise: nil) } else { close(mode: .all, promise: nil) }
    }
}
