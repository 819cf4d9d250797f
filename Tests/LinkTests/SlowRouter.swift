import DeviceModel
import Glibc
import NIOCore
import TestSupport
import Transport
import Wire

@testable import Link

/// The router's end of a Unix socket, which reads only when a test wants it to: what is too big for the socket gets stuck.
final class SlowRouter: Sendable {
    private let descriptor: Int32
    private let thread = BlockingQueue(label: "m2m.test.router")

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Connects a device with such a router.
    static func connect(over path: String, on group: any EventLoopGroup) async throws -> (
        device: MessageChannel, router: SlowRouter
    ) {
        let listener = try UnixSocket.listening(path, type: Int32(SOCK_STREAM.rawValue))
        defer { close(listener) }
        let device = try await LocalSocket.connect(to: path, on: group)
        let router = accept(listener, nil, nil)
        _ = fcntl(router, F_SETFD, FD_CLOEXEC)
        return (device, SlowRouter(router))
    }

    /// Says something that is small enough not to get stuck itself.
    func say(_ message: some Message) throws {
        let bytes = Envelope(message).encoded
        let length = withUnsafeBytes(of: UInt32(bytes.count).bigEndian, Array.init)
        let count = send(descriptor, length + bytes, bytes.count + 4, Int32(MSG_NOSIGNAL))
        guard count == bytes.count + 4 else { throw HarnessError(description: "the device has closed") }
    }

    /// Reads the next message.
    func next() async throws -> Envelope {
        let bytes = try await thread.run { [descriptor] () throws -> [UInt8] in
            let length = try Self.read(4, from: descriptor).reduce(0) { $0 << 8 | Int($1) }
            return try Self.read(length, from: descriptor)
        }
        return try Envelope(decoding: bytes ?? [])
    }

    /// Lets the device in.
    func welcome() async throws {
        try say(Challenge(nonce: SessionUnderTest.nonce))
        _ = try await next()
        try say(Welcome(owner: "anna", heartbeat: .seconds(20), streams: []))
        _ = try await next()
    }

    /// Waits until more waits here unread than any message has but the one that is to get stuck.
    func untilStuck() async {
        var waiting: Int32 = 0
        while waiting < 100_000 {
            _ = ioctl(descriptor, UInt(FIONREAD), &waiting)
            await Task.yield()
        }
    }

    /// Hangs up.
    func hangUp() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    private static func read(_ count: Int, from descriptor: Int32) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard recv(descriptor, &bytes, count, Int32(MSG_WAITALL)) == count else {
            throw HarnessError(description: "the device has closed")
        }
        return bytes
    }
}
