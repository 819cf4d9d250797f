import Glibc
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: an output that `m2m` holds is safe again when the hold ends, however it ends, and `m2m` says how.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct HoldTests {
        private func isOn(_ house: Household) async throws -> Bool {
            let read = try house.done(await house.m2m("read", "heater.on", "--json"))
            return try read.json.first?["value"] == true
        }

        /// A watch that has begun: something has come.
        private func watch(_ house: Household) async throws -> Program {
            let watch = try house.start("m2m", ["watch", "--json"])
            try await watch.output.nextJSON("reading") { $0["component"] == "climate" }
            return watch
        }

        /// Waits until the relay has gone on, and off again.
        private func waitUntilOff(_ watch: Program) async throws {
            for isOn in [true, false] {
                try await watch.output.nextJSON("heater.on \(isOn)") {
                    $0["component"] == "heater" && $0["property"] == "on" && $0["value"] == JSON.boolean(isOn)
                }
            }
        }

        @Test("Ctrl-C, SIGTERM and SIGHUP let go: safe at once, and 0", arguments: [SIGINT, SIGTERM, SIGHUP])
        func signals(_ signal: Int32) async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                _ = try await house.startAgent()
                let hold = try house.start("m2m", ["call", "heater", "on", "--hold"])
                try await hold.output.next(with: "heater on: done, held until Ctrl-C")
                #expect(try await isOn(house))
                hold.signal(signal)
                let outcome = try await hold.outcome()
                #expect(outcome.status == 0, "\(outcome)")
                #expect(outcome.output.last == "heater on: let go; it is safe again")
                #expect(outcome.errors.isEmpty)
                #expect(try await !isOn(house))
            }
        }

        @Test("Through the router it is renewed, ends with a signal, and its end is a line for programs")
        func router() async throws {
            try await Household.open { house in
                _ = try await house.settle()
                let hold = try house.start("m2m", ["call", "greenhouse/heater", "on", "--hold", "--json"])
                let result = try await hold.output.nextJSON("result") { $0["status"] == "done" }
                let refused = try await house.m2m("call", "heater", "on", "--lease", "5s")
                #expect(refused.status == 1)
                #expect(refused.errors.joined().contains("held on by anna through the router"))
                hold.signal(SIGINT)
                let outcome = try await hold.outcome()
                #expect(outcome.status == 0, "\(outcome)")
                let end = try #require(outcome.json.last)
                #expect(end["hold"] == "ended")
                #expect(end["status"] == "done")
                #expect(end["id"] == result["id"])
                #expect(end["device"] == "greenhouse")
                #expect(try await !isOn(house))
            }
        }

        @Test("Somebody switches it to safe: the holder is told who it was, and ends with 1")
        func switchedOff() async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                _ = try await house.startAgent()
                let hold = try house.start("m2m", ["call", "heater", "on", "--hold"])
                try await hold.output.next(with: "held until Ctrl-C")
                try house.done(await house.m2m("call", "heater", "off"))
                let outcome = try await hold.outcome()
                #expect(outcome.status == 1, "\(outcome)")
                #expect(outcome.errors.last?.contains("held no longer: it is not held any more: switched off") == true)
            }
        }

        @Test("The agent dies: the holder tries until the lease must be over, and ends with 3")
        func agentDies() async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                let agent = try await house.startAgent()
                let hold = try house.start("m2m", ["call", "heater", "on", "--hold", "--json"])
                try await hold.output.nextJSON("result") { $0["status"] == "done" }
                agent.signal(SIGKILL)
                let outcome = try await hold.outcome()
                #expect(outcome.status == 3, "\(outcome)")
                #expect(outcome.errors.first?.contains("; trying again") == true)
                #expect(outcome.errors.last?.hasSuffix(": safe again within 10s at the latest") == true)
                #expect(try outcome.json.last?["status"] == "unreachable")
            }
        }

        @Test("A holder that is killed cannot let go: the device does, without being told")
        func holderDies() async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                _ = try await house.startAgent()
                let watch = try await watch(house)
                let hold = try house.start("m2m", ["call", "heater", "on", "--hold"])
                try await hold.output.next(with: "held until Ctrl-C")
                hold.signal(SIGKILL)
                try await waitUntilOff(watch)
            }
        }

        @Test("A laptop dies without a word, far away: its connections stay, and yet the device lets go in time")
        func laptopDies() async throws {
            try await Household.open { house in
                let (_, agent) = try await house.settle()
                let hold = try house.start("m2m", ["call", "greenhouse/heater", "on", "--hold"])
                try await hold.output.next(with: "held until Ctrl-C")
                hold.signal(SIGSTOP)
                #expect(try await isOn(house))
                try await house.settleHeater(isOn: false)
                #expect(try await house.value("heater.reason") == "the lease of anna through the router has ended")
                #expect(try await house.value("heater.lease_ends") == 1)
                #expect(agent.errors.all.filter { $0.contains("no link to the router") }.isEmpty)

                // When it is opened again, it says that it is over, and takes nothing back.
                hold.signal(SIGCONT)
                let outcome = try await hold.outcome()
                #expect([1, 3].contains(outcome.status), "\(outcome)")
                #expect(outcome.errors.last?.contains("greenhouse/heater on: held no longer") == true, "\(outcome)")
                #expect(try await !isOn(house))
            }
        }

        @Test("A lease outlives the program that made it, and ends by itself")
        func lease() async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                _ = try await house.startAgent()
                let watch = try await watch(house)
                let call = try house.done(await house.m2m("call", "heater", "on", "--lease", "1s"))
                let words = /heater on: done, held until .+ \(for 1s\), then safe/
                #expect(call.output.first?.wholeMatch(of: words) != nil)
                try await waitUntilOff(watch)
                let json = try house.done(await house.m2m("call", "heater", "on", "--lease", "1s", "--json")).json
                #expect(json.count == 1)
                #expect(try json.first?["held_until"].text.hasSuffix("Z") == true)
            }
        }
    }
}
