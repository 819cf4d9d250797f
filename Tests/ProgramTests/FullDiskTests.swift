import Glibc
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: a full disk stops nothing but the storing: the agent says so, goes on, and stores again once there is space.
    ///
    /// The disk is a small one in memory, in a name space of the agent's own: it is gone with the agent.
    @Suite(.serialized, .timeLimit(.minutes(2)), .enabled(if: SmallDisk.isPossible, "nobody here may mount anything"))
    struct FullDiskTests {
        /// Starts an agent whose state is on a small disk.
        private func startAgent(_ house: Household, prepare: String = "true") throws -> Program {
            try house.writeDevice([.noRouter] + GreenhouseFile.Edit.busy)
            mkdir(house.stateDirectory, 0o700)
            return try house.start(
                "/usr/bin/unshare",
                SmallDisk.nameSpaces + [
                    "/bin/sh", "-c", "mount -t tmpfs -o size=16m none \"$0\" && { \(prepare); exec \"$@\"; }",
                    house.stateDirectory, Household.programs + "m2m-agent", "run", "--config", house.configuration,
                ])
        }

        private func status(_ house: Household, until isDone: (JSON) -> Bool) async throws {
            _ = try await house.m2m("status", "--json") { lines in
                try lines.first.map { isDone(try JSON($0)["store"]["problem"]) } ?? false
            }
        }

        @Test("The agent runs on, says that the disk is full, and has lost nothing once there is space again")
        func fullForAWhile() async throws {
            try await Household.open { house in
                let agent = try startAgent(house)
                try await agent.errors.hold("local socket is open")
                _ = try await house.m2m("history", "climate.temperature", "--json") { !$0.isEmpty }
                let disk = SmallDisk(of: agent, house.stateDirectory)
                try disk.fill()
                let line = try await agent.errors.next(with: "observations cannot be stored")
                #expect(line.contains("warning"))
                #expect(
                    line.contains("\(house.stateDirectory)/store.db is full; free some space, it goes on by itself"))
                try await status(house) { $0 != .null }

                // Everything else works: commands, and what is newest.
                try house.done(await house.m2m("call", "heater", "on"))
                var times: Set<JSON> = []
                while times.count < 25 {
                    let read = try house.done(await house.m2m("read", "climate.temperature", "--json")).json
                    times.formUnion(read.filter { $0["quality"] == "good" }.map { $0["time"] })
                }
                #expect(agent.errors.all.filter { $0.contains("observations cannot be stored") }.count == 1)
                #expect(!agent.errors.all.contains { $0.contains("stored again") })

                disk.free()
                try await status(house) { $0 == .null }
                var history: [JSON] = []
                for component in ["climate", "switch", "tank", "heater", "host"] {
                    history += try house.done(await house.m2m("history", component, "--json")).json
                }
                #expect(times.isSubset(of: history.map { $0["time"] }))
                #expect(history.filter { $0["action"] == "on" && $0["status"] == "done" }.count == 1)
                let numbers = try history.filter { $0["property"] != .null }.map { Int(try $0["sequence"].number) }
                #expect(Set(numbers).count == numbers.count)
                agent.signal(SIGTERM)
                #expect(try await agent.end() == .exited(0))
            }
        }

        @Test(
            "An agent whose disk can only be read when it starts works all the same, and stores when it can be written",
            arguments: [true, false])
        func readOnlyAtStart(isFirst: Bool) async throws {
            try await Household.open { house in
                let prepare = isFirst ? "true" : "touch \"$0/lock\" \"$0/store.db\""
                let agent = try startAgent(house, prepare: "\(prepare) && mount -o remount,ro \"$0\"")
                let line = try await agent.errors.next(with: "observations cannot be stored")
                #expect(line.contains("\(house.stateDirectory)/store.db cannot be"))
                try house.done(await house.m2m("call", "heater", "on"))
                let read = try await house.m2m("read", "climate.temperature", "--json") { !$0.isEmpty }
                #expect(try read.json.map { $0["quality"] } == ["good"])
                // Nobody else takes the folder meanwhile.
                let disk = SmallDisk(of: agent, house.stateDirectory).entrance
                let other = [Household.programs + "m2m-agent", "run", "--config", house.configuration]
                let second = try await house.run(disk[0], disk.dropFirst() + other)
                #expect(second.errors.contains { $0.contains("another agent") })

                let remount = ["/bin/mount", "-o", "remount,rw", house.stateDirectory]
                try house.done(await house.run(disk[0], disk.dropFirst() + remount))
                try await status(house) { $0 == .null }
                _ = try await house.m2m("history", "climate.temperature", "--json") { !$0.isEmpty }
                agent.signal(SIGTERM)
                #expect(try await agent.end() == .exited(0))
            }
        }

        @Test("Whoever commands through the router need not wait for a disk that is full")
        func commandsOnFullDisk() async throws {
            try await Household.open { house in
                try await house.moveIn()
                try house.writeDevice()
                try await house.enroll()
                let disk = try await SmallDisk.mount(16, over: house.stateDirectory, house)
                let command =
                    disk.entrance + [Household.programs + "m2m-agent", "run", "--config", house.configuration]
                let agent = try house.start(command[0], Array(command.dropFirst()))
                try await agent.errors.next(with: "connected to the router")
                try disk.fill()
                for action in ["on", "off"] { try house.done(await house.m2m("call", "greenhouse/heater", action)) }
                disk.free()
                _ = try await house.m2m("history", "greenhouse/heater", "--json") { lines in
                    try lines.filter { try JSON($0)["action"] != .null }.count == 2
                }
                agent.signal(SIGTERM)
                #expect(try await agent.end() == .exited(0))
            }
        }

        @Test("An agent whose disk is full ends on SIGTERM as always, its outputs safe") func endsOnFullDisk()
            async throws
        {
            try await Household.open { house in
                let agent = try startAgent(house)
                try await agent.errors.hold("local socket is open")
                try SmallDisk(of: agent, house.stateDirectory).fill()
                try await agent.errors.next(with: "observations cannot be stored")
                agent.signal(SIGTERM)
                #expect(try await agent.end() == .exited(0))
                #expect(agent.errors.all.last?.contains("agent has stopped; outputs are safe") == true)
            }
        }

        @Test(
            "An agent that finds its disk full when it starts says so, works all the same, and stores when there is space"
        )
        func fullAtStart() async throws {
            try await Household.open { house in
                let agent = try startAgent(house, prepare: "cat /dev/zero > \"$0/filler\" 2> /dev/null")
                let line = try await agent.errors.next(with: "observations cannot be stored")
                #expect(
                    line.contains("\(house.stateDirectory)/store.db is full; free some space, it goes on by itself"))
                let read = try await house.m2m("read", "climate.temperature", "--json") { !$0.isEmpty }
                #expect(try read.json.map { $0["quality"] } == ["good"])
                try await status(house) { $0 != .null }
                SmallDisk(of: agent, house.stateDirectory).free()
                try await status(house) { $0 == .null }
                _ = try await house.m2m("history", "climate.temperature", "--json") { !$0.isEmpty }
                agent.signal(SIGTERM)
                #expect(try await agent.end() == .exited(0))
            }
        }
    }
}
