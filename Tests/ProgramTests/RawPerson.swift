import NIOCore
import TestSupport

/// A person at the router's port who says what a test wants, from an address of their own.
///
/// What is said is put together by hand, as Docs/Protocol.md describes it.
struct RawPerson: Sendable {
    private struct Heard: Sendable {
        var bytes: [UInt8] = []
        var hasEnded = false
    }

    private let stranger: Stranger
    private let heard = Watched(Heard())

    /// Comes, and is at the place where people log in.
    ///
    /// - Parameters:
    ///   - address: One of 127.0.0.0/8.
    ///   - port: The router's.
    ///   - forwarded: For whom they say that they ask, as a proxy does.
    /// - Throws: What is in the way; ``HungUp`` when that is the router.
    init(from address: String, port: Int, for forwarded: String? = nil) async throws {
        stranger = try await Stranger(from: address, port: port)
        let (channel, heard) = (stranger.channel, heard)
        do {
            // The router speaks second: nothing is missed that it says before.
            try await channel.eventLoop.submit { try channel.pipeline.syncOperations.addHandler(Ears(heard)) }.get()
        } catch {
            throw HungUp()
        }
        do {
            try await upgrade(forwarded)
        } catch {
            hangUp()
            throw error
        }
    }

    /// The router has hung up.
    struct HungUp: Error {}

    private func upgrade(_ forwarded: String?) async throws {
        try await say(Array(Stranger.upgrade("/api/v1/link", for: forwarded).utf8))
        let head = try await hear { bytes in
            bytes.indices.first { bytes[$0...].starts(with: "\r\n\r\n".utf8) }.map { $0 + 4 }
        }
        guard head.hasPrefix("HTTP/1.1 101 ") else { throw HarnessError(description: "no WebSocket: \(head)") }
    }

    /// Says a message of the accounts' protocol, and waits for the answer.
    ///
    /// - Parameters:
    ///   - type: What message it is.
    ///   - fields: What is in it: at most 15 short texts.
    /// - Throws: ``HungUp``.
    /// - Returns: The answer, as far as it is text.
    func ask(_ type: String, _ fields: KeyValuePairs<String, String>) async throws -> String {
        let body = [0x80 | UInt8(fields.count)] + fields.flatMap { Self.text($0) + Self.text($1) }
        let header = [0x82] + Self.text("proto") + [0xCD, 0x4D, 0x04] + Self.text("typ") + Self.text(type)
        let message =
            [0x82] + Self.text("hdr") + header + Self.text("body") + [0xC4, UInt8(body.count)] + body
        // A whole binary message (RFC 6455, section 5.2), masked with a key that changes nothing.
        let (high, low) = (UInt8(message.count >> 8), UInt8(message.count & 0xFF))
        try await say([0x82] + (message.count < 126 ? [0x80 | low] : [0xFE, high, low]) + [0, 0, 0, 0] + message)
        return try await hear { bytes in
            guard bytes.count >= 4 else { return nil }
            let size = bytes[1] == 126 ? 4 + Int(bytes[2]) << 8 + Int(bytes[3]) : 2 + Int(bytes[1])
            return bytes.count >= size ? size : nil
        }
    }

    /// Goes away.
    func hangUp() {
        stranger.channel.close(promise: nil)
    }

    /// A text of less than 256 bytes in MessagePack.
    private static func text(_ text: String) -> [UInt8] {
        [0xD9, UInt8(text.utf8.count)] + text.utf8
    }

    private func say(_ bytes: [UInt8]) async throws {
        do {
            try await stranger.channel.writeAndFlush(ByteBuffer(bytes: bytes))
        } catch {
            throw HungUp()
        }
    }

    /// Waits for the next piece, of which is said how long it is as soon as that is known and all of it is there.
    private func hear(_ size: @escaping @Sendable ([UInt8]) -> Int?) async throws -> String {
        try await heard.wait(for: "answer of the router") { heard in
            guard let size = size(heard.bytes) else {
                if heard.hasEnded { throw HungUp() }
                return nil
            }
            defer { heard.bytes.removeFirst(size) }
            return String(decoding: heard.bytes.prefix(size), as: UTF8.self)
        }
    }

    /// What hears.
    private final class Ears: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let heard: Watched<Heard>

        init(_ heard: Watched<Heard>) {
            self.heard = heard
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data).readableBytesView
            heard.change { $0.bytes += bytes }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            heard.change { $0.hasEnded = true }
        }
    }
}
