import DeviceModel
import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// What stands between a device and its router, and passes everything on: late, when a test wants it.
final class StallingProxy: Sendable {
    /// What goes to the device.
    let down = Gate()
    /// What comes from the device.
    let up = Gate()
    /// Where the device finds it.
    let address: RouterAddress

    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private init(_ address: RouterAddress) {
        self.address = address
    }

    /// Runs a proxy while something happens.
    static func run<Result: Sendable>(
        to router: RouterAddress, _ body: @escaping @Sendable (StallingProxy) async throws -> Result
    ) async throws -> Result {
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Connection(wrappingChannelSynchronously: channel)
                }
            }
        guard let port = server.channel.localAddress?.port else { throw HarnessError(description: "no port") }
        let proxy = StallingProxy(RouterAddress(host: "127.0.0.1", port: port))
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                try await proxy.serve(server, router)
                return nil
            }
            group.addTask { try await body(proxy) }
            defer {
                for gate in [proxy.up, proxy.down] { gate.open() }
                group.cancelAll()
            }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw HarnessError(description: "the proxy ended before the test")
        }
    }

    private func serve(_ server: NIOAsyncChannel<Connection, Never>, _ router: RouterAddress) async throws {
        try await server.executeThenClose { devices in
            try await withThrowingDiscardingTaskGroup { group in
                for try await device in devices {
                    // One connection that breaks is no reason to let the next one not in.
                    group.addTask { try? await self.join(device, router) }  // safe: the two ends notice it themselves
                }
            }
        }
    }

    private func join(_ device: Connection, _ address: RouterAddress) async throws {
        let router = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: address.host, port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
            }
        try await device.executeThenClose { fromDevice, toDevice in
            try await router.executeThenClose { fromRouter, toRouter in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { [up] in try await Self.pass(fromDevice, through: up, to: toRouter) }
                    group.addTask { [down] in try await Self.pass(fromRouter, through: down, to: toDevice) }
                    try await group.next()
                    group.cancelAll()
                }
            }
        }
    }

    private static func pass(
        _ bytes: NIOAsyncChannelInboundStream<ByteBuffer>, through gate: Gate,
        to end: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        for try await piece in bytes {
            await gate.pass()
            try await end.write(piece)
        }
    }
}

/// A gate that lets everything through, or nothing.
final class Gate: Sendable {
    private let state = Mutex((isShut: false, waiting: [CheckedContinuation<Void, Never>]()))

    /// Lets nothing through any more.
    func shut() {
        state.withLock { $0.isShut = true }
    }

    /// Lets everything through, and what has waited first.
    func open() {
        let waiting = state.withLock { state in
            defer { state = (false, []) }
            return state.waiting
        }
        for one in waiting { one.resume() }
    }

    /// Waits until the gate is open.
    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if state.isShut { state.waiting.append(continuation) }
                return !state.isShut
            }
            if isOpen { continuation.resume() }
        }
    }
}
