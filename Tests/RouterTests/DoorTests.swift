import DeviceModel
import HALTestKit
import NIOCore
import NIOEmbedded
import Testing

@testable import Router

/// Promise: at the door hold the limits that are written down, and they are lifted for whoever is known.
@Suite struct DoorTests {
    private let time = ManualTime()
    private let door: Door

    init() throws {
        door = Door(proxies: try #require(TrustedProxies(["10.0.0.0/8"])), time: time)
    }

    /// Somebody comes.
    ///
    /// - Parameter address: From where.
    /// - Throws: What the pipeline throws.
    /// - Returns: Their connection, and their place; nil: they are sent away.
    private func come(from address: String = "192.0.2.1") throws -> (channel: EmbeddedChannel, place: Entrance?) {
        let channel = EmbeddedChannel()
        let peer = try SocketAddress(ipAddress: address, port: 1)
        try channel.connect(to: peer).wait()
        channel.remoteAddress = peer
        return (channel, try door.arrive(channel))
    }

    /// Somebody comes and goes; whether they were let in.
    private func pass(_ address: String) throws -> Bool {
        let (channel, place) = try come(from: address)
        channel.close(promise: nil)
        channel.embeddedEventLoop.run()
        return place != nil
    }

    @Test("One address may come 200 times at once, then 50 times in a second; all of an IPv6 network are one")
    func rate() throws {
        for count in [200, 50] {
            for number in 0..<count {
                #expect(try pass("192.0.2.1"))
                #expect(try pass("2001:db8:1:2::\(number)"))
            }
            #expect(try !pass("192.0.2.1"))
            #expect(try !pass("2001:db8:1:2:ffff::"))
            #expect(try pass("192.0.2.2"))
            time.advance(by: .seconds(1))
        }
    }

    @Test("64 of one address may stand there, and of a trusted proxy's as many as there is room for")
    func places() throws {
        for _ in 0..<64 { #expect(try come().place != nil) }
        #expect(try come().place == nil)
        for _ in 0..<300 { #expect(try come(from: "10.1.2.3").place != nil) }
    }

    @Test("Where 512 stand there the one who came first is hung up on")
    func full() throws {
        let all = try (0..<513).map { try come(from: "192.0.\($0 / 250).\($0 % 250)").channel }
        for channel in all { channel.embeddedEventLoop.run() }
        #expect(all.map(\.isActive) == [false] + [Bool](repeating: true, count: 512))
    }

    @Test("8192 bytes may come between one message and the next, until it is known whose they are")
    func bytes() throws {
        let (channel, place) = try come()
        let most = ByteBuffer(repeating: 0, count: 8_192)
        try channel.writeInbound(most)
        place?.heard()
        channel.embeddedEventLoop.run()
        try channel.writeInbound(most)
        #expect(channel.isActive)
        try channel.writeInbound(ByteBuffer(bytes: [0]))
        channel.embeddedEventLoop.run()
        #expect(!channel.isActive)
        let (known, lifted) = try come()
        lifted?.pass()
        known.embeddedEventLoop.run()
        for _ in 0..<10 { try known.writeInbound(most) }
        #expect(known.isActive)
    }
}
