import NIOCore
import NIOEmbedded
import Testing

@testable import Transport

/// Promise: both ends keep to RFC 6455, and hold the other end to it, in whatever pieces the bytes arrive.
@Suite struct WebSocketRuleTests {
    @Test("Each rule, at both ends", arguments: WebSocketRule.all, [true, false])
    func rule(_ rule: WebSocketRule, isServer: Bool) throws {
        for size in [Int.max, 7, 1] {
            let bench = try WebSocketBench(isServer: isServer)
            try bench.take(rule.frames, inPiecesOf: size)
            #expect(try bench.answers() == rule.answers, "\(size) bytes at a time")
            #expect(bench.errors.isEmpty == !rule.isBroken)
            bench.channel.embeddedEventLoop.run()
            let isClosing = if case .close = rule.answers.last { true } else { false }
            // A server hangs up then, and a client waits for that (section 7.1.1).
            #expect(bench.channel.isActive == !(isClosing && isServer))
        }
    }

    @Test("A server takes no frame that is not masked, and a client none that is", arguments: [true, false])
    func masks(isServer: Bool) throws {
        for opcode in [SentFrame.text, SentFrame.binary, SentFrame.ping, SentFrame.close] {
            let bench = try WebSocketBench(isServer: isServer)
            try bench.take([SentFrame(SentFrame.binary, "a"), SentFrame(opcode, masked: !isServer)])
            #expect(try bench.answers() == [.binary([0x61]), .close(1_002)])
        }
    }

    @Test("What breaks a rule is told by the head alone: none of the content is waited for")
    func heads() throws {
        let bad = [
            SentFrame(SentFrame.binary, reserved: 1, length: 900), SentFrame(5, length: 900),
            SentFrame(SentFrame.binary, masked: false, length: 900),
        ]
        for frame in bad {
            let bench = try WebSocketBench()
            try bench.take([frame])
            #expect(try bench.answers() == [.close(1_002)])
        }
    }

    @Test("Where only bytes are understood, a text is refused") func text() throws {
        let bench = try WebSocketBench(limits: WebSocketLimits())
        try bench.take([SentFrame(SentFrame.binary, "a"), SentFrame(SentFrame.text, "b", fin: false)])
        #expect(try bench.answers() == [.binary([0x61]), .close(1_003)])
        #expect(bench.errors.map(\.kind) == [.violation])
    }

    @Test("Whoever reads nothing is sent one pong later, for the newest ping") func lateReader() throws {
        let bench = try WebSocketBench()
        bench.channel.isWritable = false
        try bench.take((0..<10).map { SentFrame(SentFrame.ping, [$0]) })
        #expect(try bench.answers() == [])
        bench.channel.isWritable = true
        bench.channel.pipeline.fireChannelWritabilityChanged()
        bench.channel.pipeline.fireChannelWritabilityChanged()
        #expect(try bench.answers() == [.pong([9])])
    }

    @Test("While this end closes it still answers pings, but hands on no messages", arguments: [true, false])
    func closing(isServer: Bool) throws {
        let bench = try WebSocketBench(isServer: isServer)
        try bench.channel.triggerUserOutboundEvent(CloseCode.goingAway).wait()
        try bench.take([SentFrame(SentFrame.text, "a"), SentFrame(SentFrame.ping, "b")])
        #expect(try bench.answers() == [.close(1_001), .pong([0x62])])
        #expect(bench.messageCount == 0)
        try bench.take([.close(1_001)])
        #expect(try bench.answers() == [])
        bench.channel.embeddedEventLoop.run()
        #expect(bench.channel.isActive == !isServer)
    }

    @Test("A client waits for the server to hang up, for a moment", arguments: [true, false])
    func farewell(isBroken: Bool) throws {
        let bench = try WebSocketBench(isServer: false)
        try bench.take([isBroken ? SentFrame(3) : .close(1_000)])
        bench.channel.embeddedEventLoop.advanceTime(by: .milliseconds(4_999))
        #expect(bench.channel.isActive)
        bench.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(!bench.channel.isActive)
    }
}
