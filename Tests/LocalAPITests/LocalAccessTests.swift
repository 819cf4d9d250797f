import DeviceModel
import Glibc
import NIOCore
import NIOPosix
import TestSupport
import Testing
import Wire

@testable import Client
@testable import LocalAPI
@testable import Transport

/// Who may look and who may switch is decided by the kernel's word for who they are, and by the groups of the
/// configuration.
@Suite(.timeLimit(.minutes(1))) struct LocalAccessTests {
    /// A user of this machine who is neither root nor whoever runs the tests, and the name of their group.
    private struct Stranger {
        let uid: UInt32
        let name: String
        let group: String

        init() throws {
            for name in ["nobody", "daemon", "bin"] {
                guard let user = getpwnam(name)?.pointee, user.pw_uid != 0, user.pw_uid != getuid(),
                    let group = getgrgid(user.pw_gid)?.pointee
                else { continue }
                (uid, self.name, self.group) = (user.pw_uid, name, String(cString: group.gr_name))
                return
            }
            throw HarnessError(description: "this machine has neither nobody, daemon nor bin")
        }
    }

    private let stranger: Stranger
    private let agent: LocalAgent

    init() throws {
        stranger = try Stranger()
        agent = try LocalAgent(TemporaryDirectory())
    }

    private static let noGroup = "m2m-no-such-group"

    /// Everything that can be asked, and whether it changes anything.
    private static let requests: [(Request, changes: Bool)] = [
        (.whoami, false), (.devices, false), (.describe(Address()), false), (.read(Address()), false),
        (.watch(Address()), false), (.history(HistoryQuery(Address(component: "heater"))), false), (.status, false),
        (.probe, false),
        (.call(CallRequest(id: "1", address: Address(component: "heater"), action: "on")), true),
        (.drive(line: "GPIO17", isActive: true), true),
        (
            .renew(LeaseRenewalRequest(address: Address(component: "heater"), lease: "l", duration: .seconds(10))),
            true
        ),
    ]

    @Test("Root and the agent's own user may do everything, whatever the groups are") func ownUser() {
        let access = LocalAccess(controlGroup: Self.noGroup, readGroup: nil)
        #expect(access.level(of: 0) == .control)
        #expect(access.level(of: getuid()) == .control)
    }

    @Test("Everybody else may do what their group may") func groups() {
        let cases: [(control: String, read: String?, LocalAccess.Level)] = [
            (stranger.group, nil, .control), (stranger.group, stranger.group, .control),
            (stranger.group, Self.noGroup, .control), (Self.noGroup, stranger.group, .read),
            (Self.noGroup, nil, .nothing), (Self.noGroup, Self.noGroup, .nothing), ("", "", .nothing),
        ]
        for (control, read, level) in cases {
            #expect(LocalAccess(controlGroup: control, readGroup: read).level(of: stranger.uid) == level)
        }
    }

    @Test("A user whom the system does not know may do nothing") func unknownUser() {
        let access = LocalAccess(controlGroup: stranger.group, readGroup: stranger.group)
        #expect(access.level(of: 4_000_000_000) == .nothing)
        #expect(LocalAccess.name(of: 4_000_000_000) == "4000000000")
        #expect(LocalAccess.name(of: stranger.uid) == stranger.name)
    }

    @Test("Looking needs the right to read, switching the right to switch") func needs() throws {
        let reader = LocalAccess(controlGroup: Self.noGroup, readGroup: stranger.group)
        let nobody = LocalAccess(controlGroup: Self.noGroup, readGroup: nil)
        let operator_ = LocalAccess(controlGroup: stranger.group, readGroup: nil)
        for (request, changes) in Self.requests {
            #expect(throws: Never.self) { try operator_.check(request, from: stranger.uid) }
            let refused = #expect(throws: Failure.self) { try nobody.check(request, from: stranger.uid) }
            #expect(refused?.code == .notPermitted)
            if changes {
                #expect(throws: Failure.self) { try reader.check(request, from: stranger.uid) }
            } else {
                #expect(throws: Never.self) { try reader.check(request, from: stranger.uid) }
            }
        }
    }

    @Test("A refusal names the user, and the group that would help") func words() throws {
        let access = LocalAccess(controlGroup: "m2m-control", readGroup: "m2m-read")
        let call = Self.requests[8].0
        let switching = #expect(throws: Failure.self) { try access.check(call, from: stranger.uid) }
        #expect(switching?.message.contains("user \(stranger.name) may not switch anything") == true)
        #expect(switching?.message.contains("usermod -aG m2m-control \(stranger.name)") == true)
        let reading = #expect(throws: Failure.self) { try access.check(.status, from: stranger.uid) }
        #expect(reading?.message.contains("usermod -aG m2m-read \(stranger.name)") == true)
        let alone = LocalAccess(controlGroup: "m2m-control", readGroup: nil)
        let other = #expect(throws: Failure.self) { try alone.check(.status, from: stranger.uid) }
        #expect(other?.message.contains("usermod -aG m2m-control") == true)
        #expect(switching?.code.exitStatus == .notPermitted)
    }

    /// Asks the agent as somebody else: the kernel's word is replaced, the rest is as it is.
    private func ask(_ request: Request, as uid: UInt32, _ access: LocalAccess) async throws -> [Item] {
        let path = agent.folder.file("stranger.sock")
        let server = try await LocalSocket.listen(on: path, group: .singletonMultiThreadedEventLoopGroup)
        let handler = LocalRequestHandler(manager: agent.manager, access: access, finger: agent.finger)
        let (own, theirs) = try await server.executeThenClose { connections in
            let own = try await LocalSocket.connect(to: path, on: .singletonMultiThreadedEventLoopGroup)
            var iterator = connections.makeAsyncIterator()
            return (own, try #require(try await iterator.next()))
        }
        let serving = Task {
            var messages = theirs.inbound.makeAsyncIterator()
            try await ConversationServer(on: theirs).run(&messages) { request, conversation in
                try await handler.answer(request, from: uid, conversation)
            }
        }
        var connection = ClientConnection(own, time: agent.time)
        let items: [Item]
        do {
            items = try await connection.ask(request)
        } catch {
            await connection.close()
            _ = await serving.result
            throw error
        }
        await connection.close()
        _ = await serving.result
        return items
    }

    @Test("Who may only read sees everything and switches nothing") func strangers() async throws {
        let agent = agent
        let reader = LocalAccess(controlGroup: Self.noGroup, readGroup: stranger.group)
        try await agent.run { () async throws in
            #expect(
                try await ask(.whoami, as: stranger.uid, reader)
                    == [.account(AccountSummary(user: stranger.name, place: "greenhouse"))])
            #expect(try await ask(.read(Address()), as: stranger.uid, reader).count == agent.properties)
            await #expect(throws: Failure.self) { _ = try await ask(Self.requests[8].0, as: stranger.uid, reader) }
            #expect(try !agent.isHeating)
            let owner = LocalAccess(controlGroup: stranger.group, readGroup: nil)
            #expect(try await ask(Self.requests[8].0, as: stranger.uid, owner).count == 1)
            #expect(try agent.isHeating)
        }
    }

    @Test("Who may nothing is told so, and sees nothing") func outsiders() async throws {
        let agent = agent
        let access = LocalAccess(controlGroup: Self.noGroup, readGroup: nil)
        try await agent.run { () async throws in
            for (request, _) in Self.requests {
                let error = await #expect(throws: Failure.self) { _ = try await ask(request, as: stranger.uid, access) }
                #expect(error?.code == .notPermitted, "\(request)")
            }
            #expect(try !agent.isHeating)
        }
    }
}
