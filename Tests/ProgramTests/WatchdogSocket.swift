import Dispatch
import Glibc
import Synchronization
import TestSupport

/// What stands in for systemd: a datagram socket on which programs say how they are.
final class WatchdogSocket: Sendable {
    private struct State: Sendable {
        var messages: [String] = []
        /// How many have been looked at by ``WatchdogSocket/next(_:)``.
        var seen = 0
    }

    /// What programs find in `NOTIFY_SOCKET`.
    let name: String
    private let state = Watched(State())
    private let source: Mutex<any DispatchSourceRead>

    /// Listens.
    ///
    /// - Parameter name: A path, or `@` and a name without a file.
    /// - Throws: ``HarnessError`` when that is too long, or can't be had.
    init(_ name: String) throws {
        self.name = name
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = try UnixSocket.bound(name, type: type)
        let source = DispatchSource.makeReadSource(
            fileDescriptor: descriptor, queue: DispatchQueue(label: "m2m.test.watchdog"))
        source.setEventHandler { [state] in
            var buffer = [UInt8](repeating: 0, count: 4_096)
            while case let count = recv(descriptor, &buffer, buffer.count, 0), count >= 0 {
                let message = String(decoding: buffer.prefix(count), as: UTF8.self)
                state.change { $0.messages.append(message) }
            }
        }
        source.setCancelHandler { close(descriptor) }
        source.resume()
        self.source = Mutex(source)
    }

    deinit { source.withLock { $0.cancel() } }

    /// All that came.
    var messages: [String] { state.now.messages }

    /// Waits for the next message that has a line; those before it are passed over.
    @discardableResult
    func next(_ line: String) async throws -> String {
        let state = state
        do {
            return try await state.wait(for: "message with '\(line)'") { state in
                while state.seen < state.messages.count {
                    state.seen += 1
                    let message = state.messages[state.seen - 1]
                    if message.split(separator: "\n").contains(where: { $0 == line }) { return message }
                }
                return nil
            }
        } catch {
            throw HarnessError(description: "\(error); these came: \(messages)")
        }
    }
}
