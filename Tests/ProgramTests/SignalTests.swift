import Glibc
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: programs end when they are told to, in order and without a word too many.
    @Suite(.serialized, .timeLimit(.minutes(1))) struct SignalTests {
        @Test("SIGTERM and SIGINT end the agent with 0, its outputs safe", arguments: [SIGTERM, SIGINT])
        func agent(_ signal: Int32) async throws {
            try await Household.open { house in
                let (_, agent) = try await house.settle()
                try house.done(await house.m2m("call", "heater", "on"))
                agent.signal(signal)
                #expect(try await agent.end() == .exited(0))
                #expect(agent.errors.all.last?.contains("agent has stopped; outputs are safe") == true)
                #expect(agent.output.all.isEmpty)
                // What the safe value was, the router has been told too, now or at the next start.
                let again = try await house.startAgent()
                try await again.errors.next(with: "connected to the router")
                let heater = try await house.m2m("history", "greenhouse/heater.on", "--json") { lines in
                    try lines.last.map { try JSON($0)["value"] == false } ?? false
                }
                #expect(try heater.json.map { $0["value"] }.contains(true))
            }
        }

        @Test(
            "SIGTERM and SIGINT end the router with 0, also while people and devices are connected",
            arguments: [SIGTERM, SIGINT])
        func router(_ signal: Int32) async throws {
            try await Household.open { house in
                let (router, agent) = try await house.settle()
                let watch = try house.start("m2m", ["watch", "greenhouse"])
                try await watch.output.next(with: "greenhouse is online")
                router.signal(signal)
                #expect(try await router.end() == .exited(0))
                #expect(router.errors.all.last?.contains("router has stopped") == true)
                #expect(try await watch.end() == .exited(3))
                try await agent.errors.next(with: "no link to the router")
            }
        }

        @Test("A program that has not even begun ends as well", arguments: ["m2m-agent", "m2m-router"])
        func early(_ program: String) async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                let arguments = [
                    "m2m-agent": ["run", "--config", house.configuration],
                    "m2m-router": ["serve", "--data", house.routerData, "--listen", "127.0.0.1:0"],
                ]
                let early = try house.start(program, arguments[program] ?? [])
                early.signal(SIGTERM)
                let end = try await early.end()
                #expect(end == .exited(0) || end == .killed(SIGTERM))
            }
        }

        @Test("Ctrl-C ends a watch at once, and without a word", arguments: [[], ["greenhouse"]])
        func watch(_ address: [String]) async throws {
            try await Household.open { house in
                _ = try await house.settle()
                let watch = try house.start("m2m", ["watch", "--json"] + address)
                try await watch.output.nextJSON("reading") { $0["property"] != .null }
                watch.signal(SIGINT)
                let outcome = try await watch.outcome()
                #expect(outcome.end == .killed(SIGINT) || outcome.end == .exited(0))
                #expect(outcome.errors.isEmpty)
                // Whole lines, and nothing else.
                #expect(throws: Never.self) { try outcome.json }
            }
        }

        @Test("Ctrl-C ends an enrolment that waits; nobody waits any more then") func enroll() async throws {
            try await Household.open { house in
                try await house.moveIn()
                try house.writeDevice([.init("[local]", "ca_file = \"\(house.ca)\"\n\n[local]")])
                let device = try house.start(
                    "m2m-agent", ["enroll", "--config", house.configuration, "--account", "anna"])
                try await device.output.next(with: "Ctrl-C gives up")
                device.signal(SIGINT)
                #expect(try await device.end() != .exited(0))
                #expect(device.errors.all.isEmpty)
            }
        }

        @Test("`| head` ends a watch quietly", arguments: ["watch --json", "watch greenhouse --json", "watch"])
        func closedPipe(_ command: String) async throws {
            try await Household.open { house in
                _ = try await house.settle(GreenhouseFile.Edit.busy)
                let line = "set -o pipefail; '\(Household.programs)m2m' \(command) | head -n 1"
                let outcome = try await house.run("/bin/bash", ["-c", line])
                #expect(outcome.output.count == 1)
                #expect(outcome.errors.isEmpty)
                // With pipefail the shell passes on how m2m ended: in order, or by SIGPIPE.
                #expect(outcome.end == .exited(0) || outcome.end == .exited(128 + SIGPIPE))
            }
        }

        @Test("Standard output that is closed from the beginning traps nobody") func closedOutput() async throws {
            try await Household.open { house in
                let outcome = try await house.run("/bin/sh", ["-c", "'\(Household.programs)m2m' help >&-"])
                #expect(outcome.status == 0 || outcome.status == 1)
                let full = try await house.run("/bin/sh", ["-c", "'\(Household.programs)m2m' help > /dev/full"])
                #expect(full.status == 1)
            }
        }
    }
}
