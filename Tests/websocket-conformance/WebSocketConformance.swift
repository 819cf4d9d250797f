import DeviceModel
import Glibc
import NIOCore
import Transport

/// Shows how this project's WebSockets keep to RFC 6455, to whoever tries them out.
///
/// As a client it goes through the cases of a server that breaks rules, as the Autobahn test suite has one; as a server
/// it waits for a client that does. What runs is the product's own channel; only the end of it, which sends every
/// message back, is made for this, and more is allowed than the product allows: texts, long messages, many fragments.
@main
struct WebSocketConformance {
    private static let usage = """
        usage: websocket-conformance client URL [--agent NAME] [--ca FILE]
               websocket-conformance server 127.0.0.1:PORT
        """

    /// What the cases of a test suite may ask for.
    static let limits = {
        var limits = WebSocketLimits(messageSize: 16_777_216, fragmentCount: 65_536, keepAlive: nil)
        limits.understandsText = true
        return limits
    }()

    static func main() async {
        var words = CommandLine.arguments.dropFirst()
        do {
            switch words.popFirst() {
            case "client":
                guard let client = FuzzedClient(&words), words.isEmpty else { break }
                exit(try await client.run() ? 0 : 1)
            case "server":
                guard let server = EchoServer(&words), words.isEmpty else { break }
                try await server.run()
                exit(0)
            default: break
            }
        } catch {
            say("websocket-conformance: \(error.explanation)")
            exit(1)
        }
        say(usage)
        exit(2)
    }

    /// Says a line at once, also where nobody sits.
    static func say(_ line: String) {
        print(line)
        fflush(nil)
    }
}
