import Crypto
import Foundation
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Transport

/// Promise: who does not keep to the handshake of RFC 6455, section 4, gets no WebSocket.
@Suite struct WebSocketUpgraderTests {
    /// What a server answers to a request: the head of its answer.
    private func answer(
        _ line: String, without missing: String = "", changed: [String: String] = [:]
    ) throws -> String {
        let upgrader = WebSocketServerUpgrader(limits: { $0 == "/here" ? WebSocketLimits() : nil }) { _, _ in }
        let configuration = NIOTypedHTTPServerUpgradeConfiguration<Void>(upgraders: [upgrader]) { channel in
            channel.eventLoop.makeSucceededVoidFuture()
        }
        let channel = EmbeddedChannel()
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        _ = try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
            configuration: .init(upgradeConfiguration: configuration))
        var headers = [
            "Host": "localhost", "Upgrade": "websocket", "Connection": "keep-alive, Upgrade",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13",
        ]
        headers[missing] = nil
        headers.merge(changed) { $1 }
        let request = "\(line)\r\n" + headers.map { "\($0): \($1)\r\n" }.joined() + "\r\n"
        _ = try? channel.writeInbound(ByteBuffer(string: request))  // what NIO makes of a refusal
        channel.embeddedEventLoop.run()
        var answer = ""
        while let piece = try channel.readOutbound(as: ByteBuffer.self) { answer += String(buffer: piece) }
        return answer
    }

    @Test("A handshake as it has to be") func consent() throws {
        let answer = try answer("GET /here HTTP/1.1")
        #expect(answer.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
        #expect(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
    }

    @Test(
        "Another version is told which one is understood", arguments: [["Sec-WebSocket-Version": "8"], [:]])
    func version(_ changed: [String: String]) throws {
        let answer = try answer("GET /here HTTP/1.1", without: "Sec-WebSocket-Version", changed: changed)
        #expect(answer.hasPrefix("HTTP/1.1 426 Upgrade Required\r\n"))
        #expect(answer.contains("Sec-WebSocket-Version: 13\r\n"))
    }

    @Test(
        "A request that is none",
        arguments: [
            ("GET /there HTTP/1.1", "", "404 Not Found"),
            ("GET /here HTTP/1.1", "Sec-WebSocket-Key", "400 Bad Request"),
            ("GET /here HTTP/1.1", "Host", "400 Bad Request"), ("POST /here HTTP/1.1", "", "400 Bad Request"),
            ("GET /here HTTP/1.0", "", "400 Bad Request"),
            ("GET /here HTTP/1.1", "Connection", "400 Bad Request"),
        ])
    func refusals(_ line: String, _ missing: String, _ status: String) throws {
        #expect(try answer(line, without: missing).hasPrefix("HTTP/1.1 \(status)\r\n"))
    }

    @Test(
        "A request with a body, or with a key that is no 16 bytes, is none",
        arguments: [
            ["Content-Length": "5"], ["Transfer-Encoding": "chunked"], ["Sec-WebSocket-Key": "abc"],
            ["Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=a"], ["Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25j-Q=="],
            ["Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==dGhl"],
        ])
    func unsound(_ changed: [String: String]) throws {
        #expect(try answer("GET /here HTTP/1.1", changed: changed).hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
    }

    @Test(
        "A client takes no consent without proof, and none to what it did not ask for",
        arguments: [
            ([:], true), (["Sec-WebSocket-Accept": "nonsense"], false), (["Connection": "close"], false),
            (["Sec-WebSocket-Extensions": "permessage-deflate"], false), (["Sec-WebSocket-Protocol": "chat"], false),
        ] as [([String: String], Bool)])
    func consents(_ changed: [String: String], isTaken: Bool) throws {
        let upgrader = WebSocketClientUpgrader<Void>(limits: WebSocketLimits()) { _ in }
        var request = HTTPHeaders()
        upgrader.addCustom(upgradeRequestHeaders: &request)
        let key = try #require(request.first(name: "Sec-WebSocket-Key"))
        var headers: HTTPHeaders = ["Upgrade": "websocket", "Connection": "Upgrade"]
        headers.add(name: "Sec-WebSocket-Accept", value: accept(key))
        for (name, value) in changed { headers.replaceOrAdd(name: name, value: value) }
        let head = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
        #expect(upgrader.shouldAllowUpgrade(upgradeResponse: head) == isTaken)
    }

    /// The proof of a server that it has read the key (section 4.2.2).
    private func accept(_ key: String) -> String {
        let digest = Insecure.SHA1.hash(data: Data("\(key)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))
        return Data(digest).base64EncodedString()
    }
}
