import NIOCore
import NIOEmbedded
import NIOWebSocket
import Testing

@testable import Transport

/// Messages of bytes over frames; ``WebSocketRuleTests`` has the rules.
@Suite struct WebSocketMessageHandlerTests {
    private func channel(isServer: Bool = true, messageSize: Int = 1_000) throws -> EmbeddedChannel {
        let limits = WebSocketLimits(messageSize: messageSize, keepAlive: .seconds(20))
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandlers(
            WebSocketMessageHandler(isServer: isServer, limits: limits), BinaryMessageHandler())
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    private func frame(_ opcode: WebSocketOpcode, _ bytes: [UInt8] = [], fin: Bool = true) -> WebSocketFrame {
        var data = ByteBuffer(bytes: bytes)
        let mask: WebSocketMaskingKey = [1, 2, 3, 4]
        data.webSocketMask(mask)
        return WebSocketFrame(fin: fin, opcode: opcode, maskKey: mask, data: data)
    }

    /// The code with which the handler closes.
    private func closeCode(_ channel: EmbeddedChannel) throws -> UInt16? {
        while let frame = try channel.readOutbound(as: WebSocketFrame.self) {
            guard frame.opcode == .connectionClose else { continue }
            var data = frame.unmaskedData
            return data.readInteger()
        }
        return nil
    }

    @Test func aFrameIsAMessage() throws {
        let channel = try channel()
        try channel.writeInbound(frame(.binary, [1, 2, 3]))
        #expect(try channel.readInbound(as: [UInt8].self) == [1, 2, 3])
    }

    @Test func fragmentsAreOneMessage() throws {
        let channel = try channel()
        try channel.writeInbound(frame(.binary, [1], fin: false))
        try channel.writeInbound(frame(.ping, [9]))
        try channel.writeInbound(frame(.continuation, [2], fin: false))
        #expect(try channel.readInbound(as: [UInt8].self) == nil)
        try channel.writeInbound(frame(.continuation, [3]))
        #expect(try channel.readInbound(as: [UInt8].self) == [1, 2, 3])
        let pong = try #require(try channel.readOutbound(as: WebSocketFrame.self))
        #expect(pong.opcode == .pong)
        #expect(Array(pong.unmaskedData.readableBytesView) == [9])
    }

    @Test func aServerDoesNotMaskAndAClientDoes() throws {
        let server = try channel()
        try server.writeOutbound([UInt8(7)])
        #expect(try server.readOutbound(as: WebSocketFrame.self)?.maskKey == nil)
        let client = try channel(isServer: false)
        try client.writeOutbound([UInt8(7)])
        #expect(try client.readOutbound(as: WebSocketFrame.self)?.maskKey != nil)
    }

    @Test func aMessageThatIsTooLongClosesTheConnection() throws {
        let channel = try channel(messageSize: 10)
        try channel.writeInbound(frame(.binary, [UInt8](repeating: 0, count: 6), fin: false))
        #expect(throws: TransportError.self) {
            try channel.writeInbound(frame(.continuation, [UInt8](repeating: 0, count: 5)))
        }
        #expect(try closeCode(channel) == 1_009)
    }

    @Test func aCloseIsAnsweredWithItsCode() throws {
        let channel = try channel()
        try channel.writeInbound(frame(.connectionClose, [0x03, 0xE9]))
        #expect(try closeCode(channel) == 1_001)
        channel.embeddedEventLoop.run()
        #expect(!channel.isActive)
    }

    @Test func closingWaitsForTheAnswerButNotForEver() throws {
        let channel = try channel()
        try channel.triggerUserOutboundEvent(CloseCode.goingAway).wait()
        #expect(try closeCode(channel) == 1_001)
        #expect(channel.isActive)
        #expect(throws: (any Error).self) { try channel.writeOutbound([UInt8(1)]) }
        channel.embeddedEventLoop.advanceTime(by: .seconds(5))
        #expect(!channel.isActive)
    }

    @Test func silenceIsPingedAndThenGivenUp() throws {
        let channel = try channel()
        channel.embeddedEventLoop.advanceTime(by: .seconds(20))
        #expect(try channel.readOutbound(as: WebSocketFrame.self)?.opcode == .ping)
        #expect(channel.isActive)
    }
}

@Suite struct LengthPrefixedTests {
    private func channel() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandlers([
            ByteToMessageHandler(LengthPrefixedDecoder(limit: 100)), LengthPrefixedEncoder(),
        ])
        return channel
    }

    @Test func messagesComeInAnyPieces() throws {
        let channel = try channel()
        for byte: UInt8 in [0, 0, 0, 2, 7, 8, 0, 0, 0, 0, 0, 0, 0, 1, 9] {
            try channel.writeInbound(ByteBuffer(bytes: [byte]))
        }
        #expect(try channel.readInbound(as: [UInt8].self) == [7, 8])
        #expect(try channel.readInbound(as: [UInt8].self) == [])
        #expect(try channel.readInbound(as: [UInt8].self) == [9])
    }

    @Test func theLengthGoesFirst() throws {
        let channel = try channel()
        try channel.writeOutbound([UInt8(5), 6])
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(bytes: [0, 0, 0, 2, 5, 6]))
    }

    @Test func aHugeLengthIsRefusedBeforeAnythingIsKept() throws {
        let channel = try channel()
        #expect(throws: TransportError.self) {
            try channel.writeInbound(ByteBuffer(bytes: [0xFF, 0xFF, 0xFF, 0xFF]))
        }
    }
}

@Suite struct MessageQueueHandlerTests {
    /// While nobody reads, no more than the bound is taken from the network.
    @Test func aSlowReaderStopsTheNetwork() throws {
        let channel = EmbeddedChannel()
        let messages = try MessageQueueHandler.add(to: channel, peer: MessageChannel.Peer(address: "test"))
        let counter = ReadCounter()
        try channel.pipeline.syncOperations.addHandler(counter, position: .first)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        for number in 0..<16 { try channel.writeInbound([UInt8(number)]) }
        let before = counter.reads
        channel.read()
        channel.read()
        #expect(counter.reads == before)
        withExtendedLifetime(messages) {}
        _ = try? channel.finish()
    }

    /// The last word of the other end is still to come.
    @Test func whatNobodyReadsIsLetGoOf() throws {
        let channel = EmbeddedChannel()
        let messages = try MessageQueueHandler.add(to: channel, peer: MessageChannel.Peer(address: "test"))
        let counter = ReadCounter()
        try channel.pipeline.syncOperations.addHandler(counter, position: .first)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        for number in 0..<16 { try channel.writeInbound([UInt8(number)]) }
        channel.read()
        let before = counter.reads
        channel.pipeline.fireErrorCaught(TransportError(.violation, "test", "breaks a rule"))
        #expect(counter.reads == before + 1)
        channel.read()
        #expect(counter.reads == before + 2)
        withExtendedLifetime(messages) {}
        _ = try? channel.finish()
    }

    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = NIOAny
        var reads = 0

        func read(context: ChannelHandlerContext) {
            reads += 1
            context.read()
        }
    }
}
