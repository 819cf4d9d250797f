import DeviceManager
import DeviceModel
import Glibc
import TestSupport
import Testing

@testable import m2m_agent

/// Promise: systemd never takes an agent for ready that is not, hears whatever is said once though it is slow, and holds
/// up nobody who only says that the agent lives.
@Suite(.timeLimit(.minutes(1))) struct SystemdSupervisorTests {
    private let systemd: Systemd
    private let supervisor: SystemdSupervisor

    init() throws {
        let systemd = try Systemd()
        self.systemd = systemd
        supervisor = SystemdSupervisor(now: { MonotonicTime(nanoseconds: 7_000_000) }) { name in
            name == "NOTIFY_SOCKET" ? systemd.path : nil
        }
    }

    private static let ready = "READY=1\nSTATUS=works"

    @Test("A reload before the agent is ready is nobody's business, and makes it no readier") func early() async throws
    {
        for _ in 0..<2 {
            supervisor.tell(.reloading)
            supervisor.tell(.reloaded)
        }
        supervisor.tell(.ready)
        #expect(try await systemd.heard(1) == [Self.ready])
        supervisor.tell(.reloading)
        supervisor.tell(.reloaded)
        #expect(try await systemd.heard(2) == ["RELOADING=1\nMONOTONIC_USEC=7000", Self.ready])
    }

    @Test("A reload that begins before the agent is ready, and ends after that, leaves it ready") func overtaken()
        async throws
    {
        for news in [SupervisorNews.reloading, .ready, .reloaded] { supervisor.tell(news) }
        #expect(try await systemd.heard(2) == [Self.ready, Self.ready])
    }

    @Test(
        "What is said once waits for a supervisor that is slow, and holds up nobody; a sign of life waits for nothing",
        arguments: [SupervisorNews.ready, .stopping])
    func slow(_ news: SupervisorNews) async throws {
        // Nobody could wait for each of these.
        for _ in 0..<10_000 { supervisor.tell(.alive) }
        supervisor.tell(news)
        var messages: [String] = []
        while messages.allSatisfy({ $0 == "WATCHDOG=1" }) { messages += try await systemd.heard(1) }
        #expect(messages.count < 10_000)
        #expect(messages.last?.contains(news == .ready ? "READY=1" : "STOPPING=1") == true)
    }

    @Test("However often it reloads while systemd does not read, what waits does not grow, and the newest word is told")
    func crowd() async throws {
        supervisor.tell(.ready)
        #expect(try await systemd.heard(1) == [Self.ready])
        for _ in 0..<1_000 {
            supervisor.tell(.reloading)
            supervisor.tell(.reloaded)
        }
        supervisor.tell(.stopping)
        var messages: [String] = []
        while messages.last?.hasPrefix("STOPPING=1") != true { messages += try await systemd.heard(1) }
        #expect(messages.count < 1_000)
    }
}

/// A datagram socket that is read when a test wants it.
private final class Systemd: Sendable {
    let path: String
    private let folder: TemporaryDirectory
    private let file: Int32

    init() throws {
        folder = try TemporaryDirectory()
        path = folder.file("notify")
        file = try UnixSocket.bound(path, type: Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue))
    }

    deinit { close(file) }

    /// The next messages, as soon as so many have come.
    func heard(_ count: Int) async throws -> [String] {
        var messages: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while messages.count < count {
            try Task.checkCancellation()
            let size = recv(file, &buffer, buffer.count, 0)
            if size >= 0 {
                messages.append(String(decoding: buffer.prefix(size), as: UTF8.self))
            } else {
                await Task.yield()
            }
        }
        return messages
    }
}
