import DeviceModel
import NIOCore
import NIOHTTP1
import NIOPosix
import Transport
import UnixSignals

/// The server's side, for a client that breaks rules: sends back what it is sent, on every path, until it is ended.
struct EchoServer {
    private let port: Int

    /// Reads the arguments after `server`.
    init?(_ words: inout ArraySlice<String>) {
        guard let place = words.popFirst(), place.hasPrefix("127.0.0.1:"),
            let port = UInt16(place.dropFirst("127.0.0.1:".count))
        else { return nil }
        self.port = Int(port)
    }

    /// Runs until SIGTERM or SIGINT.
    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in channel.eventLoop.makeCompletedFuture { try Self.accept(channel) } }
            .bind(host: "127.0.0.1", port: port).get()
        WebSocketConformance.say("listens on ws://127.0.0.1:\(server.localAddress?.port ?? port)")
        for await _ in signals { return }
    }

    private static func accept(_ channel: any Channel) throws {
        let upgrader = WebSocketServerUpgrader(limits: { _ in WebSocketConformance.limits }) { channel, _ in
            try channel.pipeline.syncOperations.addHandler(EchoHandler())
        }
        let upgrade = NIOTypedHTTPServerUpgradeConfiguration<Void>(upgraders: [upgrader]) { channel in
            channel.close()
        }
        _ = try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
            configuration: .init(upgradeConfiguration: upgrade))
    }
}
