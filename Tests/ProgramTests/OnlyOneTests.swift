import TestSupport
import Testing

extension ProgramTests {
    /// Promise: what only one program can have, a second one does not take: it ends with 1, and says who has it and what to
    /// do.
    @Suite(.serialized, .timeLimit(.minutes(1))) struct OnlyOneTests {
        @Test("A second agent on the same state directory names the process of the first, which goes on")
        func agent() async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                let first = try await house.startAgent()
                let second = try await house.run("m2m-agent", ["run", "--config", house.configuration])
                #expect(second.status == 1)
                #expect(
                    second.errors == [
                        "m2m-agent: another agent (process \(first.id)) uses \(house.stateDirectory); stop it, "
                            + "or give this one a device.state_directory of its own"
                    ])
                #expect(try await house.m2m("status").status == 0)
            }
        }

        @Test("A second agent on the same socket says so, and leaves the socket to the first") func socket()
            async throws
        {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                let first = try await house.startAgent()
                try house.writeDevice([.noRouter, .init("state_directory = \"state\"", "state_directory = \"other\"")])
                let second = try await house.run("m2m-agent", ["run", "--config", house.configuration])
                #expect(second.status == 1)
                #expect(
                    second.errors.contains { $0.contains("another agent listens there; stop it, or set local.socket") })
                #expect(try await house.m2m("status").status == 0)
                first.signal(15)
                #expect(try await first.end() == .exited(0))
            }
        }

        @Test("The state of an agent that was killed is free again, and so is its socket") func killed() async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                for _ in 0..<3 {
                    let agent = try await house.startAgent()
                    #expect(try await house.m2m("status").status == 0)
                    agent.signal(9)
                    try await agent.end()
                }
            }
        }

        @Test("A second router on the same folder names the process of the first, which goes on")
        func router() async throws {
            try await Household.open { house in
                let first = try await house.moveIn()
                let second = try await house.run(
                    "m2m-router", ["serve", "--data", house.routerData, "--listen", "127.0.0.1:0"])
                #expect(second.status == 1)
                #expect(
                    second.errors == [
                        "m2m-router: another router (process \(first.id)) uses \(house.routerData); stop it, "
                            + "or give this one a --data of its own"
                    ])
                #expect(try await house.m2m("whoami").status == 0)
            }
        }

        @Test("A router whose port is taken says so, and how another one is chosen") func port() async throws {
            try await Household.open { house in
                try await house.moveIn()
                let place = house.url.dropFirst("wss://".count)
                let second = try await house.run(
                    "m2m-router", ["serve", "--data", house.folder.file("other"), "--listen", String(place)])
                #expect(second.status == 1)
                #expect(second.output.isEmpty)
                #expect(
                    second.errors == [
                        "m2m-router: cannot listen on \(place): another program listens there already; "
                            + "choose another port with --listen HOST:PORT"
                    ])
                #expect(try await house.m2m("whoami").status == 0)
            }
        }
    }
}
