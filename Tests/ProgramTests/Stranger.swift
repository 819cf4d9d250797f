import NIOCore
import NIOPosix
import NIOSSL

/// Somebody at the router's port of whom nobody knows anything: from an address of their own, over TLS, and with whatever
/// a test lets them say.
struct Stranger: Sendable {
    let channel: any Channel

    /// Comes from one of this machine's many addresses; who is there is not looked at.
    ///
    /// - Parameters:
    ///   - address: One of 127.0.0.0/8.
    ///   - port: The router's.
    /// - Throws: What NIO throws where nobody listens.
    init(from address: String, port: Int) async throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        let context = try NIOSSLContext(configuration: configuration)
        channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(to: SocketAddress(ipAddress: address, port: 0))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: context, serverHostname: nil))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }

    /// Says something; returns once the handshake is over and the network has taken it.
    func say(_ text: String) async throws {
        try await channel.writeAndFlush(ByteBuffer(string: text))
    }

    /// Hears nothing from now on, and so answers nothing: not even a goodbye.
    func turnAway() async {
        try? await channel.setOption(.autoRead, value: false).get()  // safe: where it is closed it hears nothing, too
    }

    /// Waits until the router hangs up.
    func untilHungUp() async throws {
        try await channel.closeFuture.get()
    }

    /// The address of a stranger's own, by number.
    static func address(_ number: Int) -> String { "127.1.\(number / 250).\(number % 250 + 1)" }

    /// An upgrade to a WebSocket, as a client asks for it, or a proxy for somebody else.
    static func upgrade(_ path: String, for forwarded: String? = nil) -> String {
        """
        GET \(path) HTTP/1.1\r
        Host: router\r
        \(forwarded.map { "X-Forwarded-For: \($0)" } ?? "X: y")\r
        Connection: Upgrade\r
        Upgrade: websocket\r
        Sec-WebSocket-Version: 13\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
        \r

        """
    }
}
