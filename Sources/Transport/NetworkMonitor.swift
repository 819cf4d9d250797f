import CLinux
import Glibc
public import NIOCore
import NIOPosix

/// Tells when the network has come back: an address, a default route, or a cable that was not there before.
///
/// The kernel says so on a netlink socket (rtnetlink(7)), which waits among the connections; nobody is woken otherwise.
public final class NetworkMonitor: Sendable {
    private let channel: any Channel

    /// Watches until it is closed; nil where the kernel gives no such socket, as in a sandbox without AF_NETLINK.
    ///
    /// - Parameters:
    ///   - group: Where the socket waits.
    ///   - onChange: Told of each change, on the event loop. It must not wait.
    public init?(on group: any EventLoopGroup, onChange: @escaping @Sendable () -> Void) async {
        let socket = clinux_network_open()
        guard socket >= 0 else { return nil }
        do {
            channel = try await NIOPipeBootstrap(group: group)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(NewsHandler(onChange))
                    }
                }
                .takingOwnershipOfDescriptor(input: socket).get()
        } catch {
            Glibc.close(socket)
            return nil
        }
    }

    /// Watches no more.
    public func close() async {
        try? await channel.close()  // safe: it was closed already then
    }

    private final class NewsHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let onChange: @Sendable () -> Void
        private var known = clinux_network()

        init(_ onChange: @escaping @Sendable () -> Void) {
            self.onChange = onChange
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let isNews = unwrapInboundIn(data).withUnsafeReadableBytes { bytes in
                clinux_network_is_back(bytes.baseAddress, bytes.count, &known)
            }
            if isNews { onChange() }
        }
    }
}
