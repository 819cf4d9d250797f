import DeviceModel
import Glibc
import NIOCore
import NIOPosix
import TestSupport
import Testing
import Transport
import Wire

@testable import LocalAPI

/// The socket is there while the agent runs, for everybody to knock at; what a dead agent left is no obstacle, and a
/// living one is not robbed of its own.
@Suite(.timeLimit(.minutes(1))) struct LocalServiceTests {
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
    }

    private func mode(_ path: String) -> mode_t? {
        var entry = stat()
        return lstat(path, &entry) == 0 ? entry.st_mode : nil
    }

    /// A socket file as a process leaves it that was killed: nobody listens there any more.
    private func leaveSocket(at path: String) throws {
        close(try UnixSocket.bound(path, type: Int32(SOCK_STREAM.rawValue)))
    }

    /// The error with which the door of an agent can't be opened; nil when it was open until it was cancelled.
    private func error(opening agent: LocalAgent) async -> TransportError? {
        let task = Task { try await agent.service().run() }
        let opened = Task {
            try await agent.opened()
            task.cancel()
        }
        let result = await task.result
        opened.cancel()
        _ = await opened.result
        if case .failure(let error) = result { return error as? TransportError }
        return nil
    }

    @Test("The socket is a socket, open for everybody to knock at, and gone when the agent has stopped") func file()
        async throws
    {
        let agent = try LocalAgent(folder)
        try await agent.run { () async throws in
            #expect(mode(agent.socket) == S_IFSOCK | 0o666)
        }
        #expect(mode(agent.socket) == nil)
    }

    @Test("Where its folder is missing it is made") func missingFolder() async throws {
        let agent = try LocalAgent(folder, socket: "run/agent.sock")
        try await agent.run { () async throws in
            #expect(try await agent.ask(.whoami).count == 1)
        }
        #expect(mode(folder.file("run")).map { $0 & S_IFMT } == S_IFDIR)
    }

    @Test("Where no folder can be made that is said") func noFolder() async throws {
        try folder.write("file", "")
        let agent = try LocalAgent(folder, socket: "file/agent.sock")
        let error = await error(opening: agent)
        #expect(error?.resource == agent.socket)
        #expect(error?.description.contains("Not a directory") == true)
    }

    @Test("A socket that a dead agent left is replaced") func deadSocket() async throws {
        let agent = try LocalAgent(folder)
        try leaveSocket(at: agent.socket)
        try await agent.run { () async throws in
            #expect(try await agent.ask(.whoami).count == 1)
        }
    }

    @Test("The socket of a living agent is not taken from it") func livingSocket() async throws {
        let agent = try LocalAgent(folder)
        try await agent.run { () async throws in
            let other = try LocalAgent(folder)
            let error = await error(opening: other)
            #expect(error != nil)
            #expect(error?.description.contains(agent.socket) == true)
            #expect(mode(agent.socket) == S_IFSOCK | 0o666)
            let items = try await agent.ask(.whoami)
            #expect(items.count == 1)
        }
    }

    @Test("A file that is no socket is left as it is") func otherFile() async throws {
        let path = try folder.write("agent.sock", "a letter")
        let agent = try LocalAgent(folder)
        let error = await error(opening: agent)
        #expect(try SafeFile.read(path) == Array("a letter".utf8))
        #expect(error?.description.contains(path) == true)
        #expect(error?.description.contains("is gone") == false)
    }

    @Test("A path that is too long for a socket is an error that names it") func tooLong() async throws {
        let agent = try LocalAgent(folder, socket: String(repeating: "a", count: 120))
        let error = await error(opening: agent)
        #expect(error?.description.contains(agent.socket) == true)
        #expect(error?.description.contains("is gone") == false)
    }

    @Test("Thirty-two programs may be connected at a time; one more is turned away until one has left") func bound()
        async throws
    {
        let agent = try LocalAgent(folder)
        try await agent.run { () async throws in
            var clients: [RawClient] = []
            for number in 1...LocalPlaces.bound(.control) {
                var client = try await RawClient(agent.socket)
                try await client.say(Request.whoami.envelope(session: "\(number)"))
                _ = try await client.next(Items.self)
                clients.append(client)
            }
            var late = try await RawClient(agent.socket)
            #expect(await late.isClosed())

            await clients.removeLast().channel.close()
            try await agent.opened()
            var answer: [Item] = []
            while answer.isEmpty {
                // safe: the agent may not have noticed yet that one has left
                answer = (try? await agent.ask(.whoami)) ?? []
            }
            #expect(answer.count == 1)
            for client in clients { await client.channel.close() }
        }
    }

    @Test("Whoever is connected when the agent stops is hung up on") func stops() async throws {
        let agent = try LocalAgent(folder)
        let (running, connected) = (
            Mailbox<Void>(bound: 1, policy: .refuseNewest), Mailbox<Void>(bound: 1, policy: .refuseNewest)
        )
        let client = Task {
            _ = await running.next()
            defer { connected.finish() }
            var client = try await RawClient(agent.socket)
            try await client.say(Request.watch(Address()).envelope(session: "w"))
            try await client.say(Request.whoami.envelope(session: "1"))
            _ = try await client.next(Items.self)
            connected.send(())
            return await client.isClosed()
        }
        try await agent.run { () async throws in
            running.send(())
            #expect(await connected.next() != nil)
        }
        #expect(try await client.value)
    }
}
