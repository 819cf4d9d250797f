import DeviceModel
import NIOCore
import NIOPosix
import Transport

/// The client's side, for a server that breaks rules: goes through its cases, one after the other.
///
/// The server says how many there are at `/getCaseCount`, plays number *n* at `/runCase?case=n`, and sums up what it saw
/// at `/updateReports`: the habit of the Autobahn test suite's `fuzzingserver`.
struct FuzzedClient {
    private let address: RouterAddress
    private let trust: TLSTrust?
    private var agent = "m2m"
    private let client = WebSocketClient(
        group: .singletonMultiThreadedEventLoopGroup, agent: "websocket-conformance",
        limits: WebSocketConformance.limits)

    /// How long a case may take: the longest of them move many megabytes.
    private static let patience = TimeAmount.minutes(5)

    /// Reads the arguments after `client`.
    init?(_ words: inout ArraySlice<String>) {
        guard let url = words.popFirst() else { return nil }
        var file: String?
        while let option = words.popFirst() {
            guard let value = words.popFirst() else { return nil }
            switch option {
            case "--agent": agent = value
            case "--ca": file = value
            default: return nil
            }
        }
        let isPlain = url.hasPrefix("ws://")
        guard let address = RouterAddress(isPlain ? "wss://\(url.dropFirst("ws://".count))" : url) else { return nil }
        self.address = address
        trust = isPlain ? nil : file.map { .file($0) } ?? .system
    }

    /// Goes through all cases.
    ///
    /// - Returns: Whether each ran to its end.
    /// - Throws: ``TransportError`` or ``FuzzingError`` when the server does not even say how many there are.
    func run() async throws -> Bool {
        let count = try await self.count()
        var failures = 0
        for number in stride(from: 1, through: count, by: 1) {
            do {
                try await play("/runCase?case=\(number)&agent=\(agent)")
            } catch {
                failures += 1
                WebSocketConformance.say("case \(number): \(error.explanation)")
            }
        }
        try await play("/updateReports?agent=\(agent)")
        WebSocketConformance.say("\(count) cases, \(count - failures) of them to their end")
        return failures == 0
    }

    private func count() async throws -> Int {
        let last = try await connect("/getCaseCount") { channel in
            let promise = channel.eventLoop.makePromise(of: String.self)
            try channel.pipeline.syncOperations.addHandler(LastMessageHandler(promise))
            return promise.futureResult
        }
        let text = try await last.get()
        guard let count = Int(text), count >= 0 else {
            throw FuzzingError("the server says '\(text)', where the number of its cases should be")
        }
        return count
    }

    /// Sends back what comes until the connection ends.
    private func play(_ path: String) async throws {
        let deadline = NIODeadline.now() + Self.patience
        let end = try await connect(path) { channel in
            try channel.pipeline.syncOperations.addHandler(EchoHandler())
            return channel.closeFuture
        }
        try await end.get()
        guard NIODeadline.now() < deadline else { throw FuzzingError("it had no end in five minutes") }
    }

    private func connect<End: Sendable>(
        _ path: String, _ end: @escaping @Sendable (any Channel) throws -> End
    ) async throws -> End {
        try await client.connect(to: address, path: path, trust: trust) { channel, _ in
            let timeout = channel.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
            channel.closeFuture.whenComplete { _ in timeout.cancel() }
            return try end(channel)
        }
    }
}

/// The server does not do what a test suite does.
struct FuzzingError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
