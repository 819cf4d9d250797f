import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: a device listens on nothing, and a router on one port.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct ListeningTests {
        /// Lists what listens on this machine; not everywhere.
        private static let ss: String? = ["/usr/bin/ss", "/bin/ss", "/usr/sbin/ss", "/sbin/ss"].first { path in
            access(path, X_OK) == 0
        }

        /// Looks at what the programs can be reached at: the router at its port, nobody else at anything.
        private func check(_ house: Household, _ router: Program, others: [Program]) async throws {
            let port = try #require(Int(house.url.split(separator: ":").last ?? ""))
            let atRouter = try NetworkSocket.all(of: router.id)
            let listening = NetworkSocket(kind: .tcp, port: port, otherPort: 0, isOpen: true)
            #expect(atRouter.filter(\.isOpen) == [listening])
            for program in others {
                let sockets = try NetworkSocket.all(of: program.id)
                #expect(sockets.filter(\.isOpen).isEmpty, "\(program.command): \(sockets)")
                // Nor does it talk to anybody but the router.
                #expect(sockets.allSatisfy { $0.otherPort == port }, "\(program.command): \(sockets)")
            }
            try await checkWithSS(house, [router] + others, port)
        }

        /// The same, as a person looks.
        private func checkWithSS(_ house: Household, _ programs: [Program], _ port: Int) async throws {
            guard let ss = Self.ss else { return }
            let list = try house.done(await house.run(ss, ["-H", "-lntup"])).output
            let ours = list.filter { line in programs.contains { line.contains("pid=\($0.id),") } }
            #expect(ours.count == 1, "\(ours)")
            let fields = try #require(ours.first).split(separator: " ")
            #expect(fields.prefix(2) == ["tcp", "LISTEN"])
            #expect(fields.contains("127.0.0.1:\(port)"), "\(fields)")
        }

        @Test("What listens is seen, whatever it is: otherwise the tests below would prove nothing")
        func isSeen() throws {
            let listener = try RawListener()
            let datagrams = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            defer { close(datagrams) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let isBound = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                    bind(datagrams, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            try #require(isBound)
            let open = try NetworkSocket.all(of: getpid()).filter(\.isOpen)
            #expect(open.contains(NetworkSocket(kind: .tcp, port: Int(listener.port), otherPort: 0, isOpen: true)))
            #expect(open.contains { $0.kind == .udp })
        }

        @Test("With a keeper and a link to the router, an agent and its keeper listen on nothing but files")
        func keeper() async throws {
            try await Household.open { house in
                let router = try await house.moveIn()
                try house.writeDevice([.keeper])
                try await house.enroll()
                let (agent, keeper) = try await house.keep(isLinked: true)
                try await agent.errors.hold("connected to the router")
                try house.done(await house.m2m("call", "greenhouse/heater", "on"))
                try await check(house, router, others: [agent, keeper])
                // The look is at the right processes: both have sockets, and the agent has its link.
                #expect(try !NetworkSocket.sockets(of: keeper.id).isEmpty)
                #expect(try NetworkSocket.all(of: keeper.id).isEmpty)
                let links = try NetworkSocket.all(of: agent.id)
                #expect(links.count == 1, "\(links)")

                // While the router is away, the agent looks for it, and waits for nobody.
                router.signal(SIGTERM)
                try await router.end()
                try await agent.errors.hold("no link to the router")
                #expect(try NetworkSocket.all(of: agent.id).filter(\.isOpen).isEmpty)
            }
        }

        @Test("Everything that `make demo` runs, with all that happens there: one port, the router's")
        func demo() async throws {
            try await Household.open { house in
                let (router, agent) = try await house.settle()
                let watch = try house.start("m2m", ["watch", "greenhouse", "--json"])
                try await watch.output.nextJSON("reading") { $0["property"] == "temperature" }
                try await check(house, router, others: [agent, watch])
                for state in ["active", "inactive"] {
                    try house.done(await house.m2m("drive", "GPIO17", state))
                    try house.done(await house.m2m("call", "greenhouse/heater", state == "active" ? "off" : "on"))
                    try await check(house, router, others: [agent, watch])
                }
                let hold = try house.start("m2m", ["call", "greenhouse/heater", "on", "--hold"])
                try await hold.output.next(with: "held until Ctrl-C")
                try await check(house, router, others: [agent, watch, hold])
            }
        }
    }
}
