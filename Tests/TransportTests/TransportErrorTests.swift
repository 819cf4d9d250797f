import NIOCore
import NIOSSL
import Testing

@testable import Transport

/// Promise: why a connection ended is said in words, and never in those of a library.
@Suite struct TransportErrorTests {
    @Test(
        "An end without a goodbye is one like any other, and no fault of the certificate",
        arguments: [NIOSSLError.uncleanShutdown, ChannelError.eof, ChannelError.alreadyClosed] as [any Error])
    func ends(_ error: any Error) {
        let words = TransportError(error, resource: "wss://house:1")
        #expect(words.kind == .lost)
        #expect(words.description.hasPrefix("wss://house:1 is gone: "))
        #expect(!words.description.contains("\(error)"))
        #expect(!TLSDiagnosis.knows(error))
    }
}
