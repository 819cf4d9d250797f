import TestSupport
import Testing

extension ProgramTests {
    /// Promise: when the other end is not there, programs say so and exit with 3, and what does not need it goes on.
    @Suite(.serialized, .timeLimit(.minutes(1))) struct AwayTests {
        @Test("Without the router `m2m` exits with 3, while the agent runs on and `m2m` on the device works")
        func router() async throws {
            try await Household.open { house in
                let (router, agent) = try await house.settle()
                router.signal(9)
                try await router.end()
                for command in ["devices", "read greenhouse/", "watch greenhouse", "call greenhouse/heater on"] {
                    let outcome = try await house.run("m2m", command.split(separator: " ").map(String.init))
                    #expect(outcome.status == 3)
                    #expect(outcome.output.isEmpty)
                    #expect(outcome.errors == ["m2m: \(house.url) does not answer: Connection refused"])
                }
                let login = try await house.login()
                #expect(login.status == 3)
                #expect(login.errors == ["m2m: \(house.url) does not answer: Connection refused"])
                let enroll = try await house.run(
                    "m2m-agent", ["enroll", "--config", house.configuration, "--account", "anna"])
                #expect(enroll.status == 3)

                try await agent.errors.next(with: "no link to the router")
                let call = try house.done(await house.m2m("call", "heater", "on"))
                #expect(call.output == ["heater on: done"])
                let read = try house.done(await house.m2m("read", "heater.on", "--json"))
                #expect(try read.json.map { $0["value"] } == [true])
                let status = try house.done(await house.m2m("status", "--json"))
                #expect(try status.json.first?["link"]["state"] == "reconnecting")
                agent.signal(15)
                #expect(try await agent.end() == .exited(0))
            }
        }

        @Test("A router that was never there does not keep the agent from starting") func neverThere() async throws {
            try await Household.open { house in
                try house.writeDevice([.init("wss://127.0.0.1:8443", "wss://127.0.0.1:1")])
                let agent = try await house.startAgent()
                try await agent.errors.hold("no link to the router")
                #expect(try await house.m2m("call", "heater", "on").status == 0)
                agent.signal(15)
                #expect(try await agent.end() == .exited(0))
            }
        }

        @Test("Without an agent `m2m` on the device exits with 3, and names the socket where it has looked")
        func agent() async throws {
            try await Household.open { house in
                for command in ["read climate", "watch", "call heater on", "history climate", "status", "whoami"] {
                    let outcome = try await house.run("m2m", command.split(separator: " ").map(String.init))
                    #expect(outcome.status == 3)
                    #expect(outcome.output.isEmpty)
                    #expect(outcome.errors.count == 1)
                    #expect(outcome.errors.joined().hasPrefix("m2m: no agent answers at \(house.socket) ("))
                    #expect(outcome.errors.joined().contains("M2M_SOCKET"))
                }
            }
        }

        @Test("What is asked of an agent that was killed is not answered, with 3; its socket is still there")
        func killedAgent() async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                let agent = try await house.startAgent()
                agent.signal(9)
                try await agent.end()
                let outcome = try await house.m2m("status")
                #expect(outcome.status == 3)
                #expect(outcome.errors.joined().hasPrefix("m2m: no agent answers at \(house.socket) ("))
            }
        }

        @Test("A watch whose other end is gone says so, and exits with 3", arguments: [true, false])
        func watch(_ isFar: Bool) async throws {
            try await Household.open { house in
                let (router, agent) = try await house.settle()
                let watch = try house.start("m2m", ["watch", "--json"] + (isFar ? ["greenhouse"] : []))
                try await watch.output.nextJSON("reading") { $0["property"] != .null }
                (isFar ? router : agent).signal(9)
                let outcome = try await watch.outcome()
                #expect(outcome.status == 3)
                #expect(outcome.errors.count == 1)
                #expect(outcome.errors.joined().contains(isFar ? house.url : house.socket), "\(outcome)")
            }
        }
    }
}
