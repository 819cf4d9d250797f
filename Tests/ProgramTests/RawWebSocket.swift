import Crypto
import Foundation
import TestSupport

/// A WebSocket on which a test says what no program of ours would: frames, whatever they are.
struct RawWebSocket {
    /// What is said on it: the first byte of a frame (RFC 6455, section 5.2), and its content.
    struct Frame: Hashable {
        var first: UInt8
        var content: [UInt8] = []

        static func text(_ text: String) -> Frame { Frame(first: 0x81, content: Array(text.utf8)) }
        static func binary(_ content: [UInt8]) -> Frame { Frame(first: 0x82, content: content) }
        static func ping(_ text: String) -> Frame { Frame(first: 0x89, content: Array(text.utf8)) }
        static func pong(_ text: String) -> Frame { Frame(first: 0x8A, content: Array(text.utf8)) }
        static func close(_ code: UInt16) -> Frame {
            Frame(first: 0x88, content: [UInt8(code >> 8), UInt8(code & 0xFF)])
        }
    }

    private let socket: RawSocket
    private let isServer: Bool

    /// Waits for somebody who asks for one.
    ///
    /// - Parameters:
    ///   - listener: Where they come.
    ///   - path: What they have to ask for.
    /// - Throws: ``HarnessError`` when they ask for something else.
    init(at listener: RawListener, path: String) async throws {
        (socket, isServer) = (try await listener.accept(), true)
        let request = await Self.head(socket)
        let key = request.first { $0.hasPrefix("Sec-WebSocket-Key: ") }?.dropFirst("Sec-WebSocket-Key: ".count)
        guard let key, request.first == "GET \(path) HTTP/1.1" else {
            throw HarnessError(description: "wanted a WebSocket at \(path), got \(request)")
        }
        let digest = Insecure.SHA1.hash(data: Data("\(key)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))
        await Self.say(
            [
                "HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket",
                "Sec-WebSocket-Accept: \(Data(digest).base64EncodedString())",
            ], to: socket)
    }

    /// Asks for one.
    ///
    /// - Parameter port: Where somebody listens.
    /// - Throws: ``HarnessError`` when it is refused.
    init(port: UInt16) async throws {
        (socket, isServer) = (try RawSocket(port: port), false)
        await Self.say(
            [
                "GET / HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket",
                "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            ], to: socket)
        let answer = await Self.head(socket)
        guard answer.first?.hasPrefix("HTTP/1.1 101 ") == true,
            answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        else { throw HarnessError(description: "no WebSocket: \(answer)") }
    }

    private static func say(_ lines: [String], to socket: RawSocket) async {
        await socket.say(Array((lines + ["", ""]).joined(separator: "\r\n").utf8))
    }

    private static func head(_ socket: RawSocket) async -> [String] {
        var head: [UInt8] = []
        while head.suffix(4) != Array("\r\n\r\n".utf8)[...] {
            let byte = await socket.hear(1)
            guard !byte.isEmpty else { break }
            head += byte
        }
        return String(decoding: head, as: UTF8.self).split(separator: "\r\n").map(String.init)
    }

    /// Says frames, masked where a client does.
    func say(_ frames: Frame...) async {
        let key: [UInt8] = [1, 2, 3, 4]
        var bytes: [UInt8] = []
        for frame in frames {
            let (length, mask): (Int, UInt8) = (frame.content.count, isServer ? 0 : 0x80)
            bytes.append(frame.first)
            switch length {
            case ...125: bytes.append(mask | UInt8(length))
            case ...65_535: bytes += [mask | 126, UInt8(length >> 8), UInt8(length & 0xFF)]
            default: bytes += [mask | 127] + (0..<8).map { UInt8(length >> (56 - 8 * $0) & 0xFF) }
            }
            bytes += isServer ? frame.content : key + frame.content.enumerated().map { $1 ^ key[$0 % 4] }
        }
        await socket.say(bytes)
    }

    /// The next frame, unmasked; nil when the other end hangs up, or masks wrongly.
    func hear() async -> Frame? {
        let head = await socket.hear(2)
        guard head.count == 2, (head[1] & 0x80 != 0) == isServer else { return nil }
        let width = [126: 2, 127: 8][head[1] & 0x7F] ?? 0
        let length = await socket.hear(width).reduce(width == 0 ? Int(head[1] & 0x7F) : 0) { $0 << 8 | Int($1) }
        let key = await socket.hear(isServer ? 4 : 0)
        let content = await socket.hear(length)
        guard content.count == length else { return nil }
        return Frame(first: head[0], content: isServer ? content.enumerated().map { $1 ^ key[$0 % 4] } : content)
    }

    /// Hangs up.
    func close() {
        socket.close()
    }
}
