import Glibc
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: the keeper takes orders from one agent, and from nobody who has no business with it; what it holds, and
    /// why, it tells whoever may ask.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct KeeperDoorTests {
        /// The other agent: its own state and its own socket, and the same keeper.
        private static let other: [GreenhouseFile.Edit] = [
            .init("state_directory = \"state\"", "state_directory = \"other\""),
            .init("socket = \"agent.sock\"", "socket = \"other.sock\""),
            .init("journal = \"outputs.journal\"", "journal = \"other.journal\""),
        ]

        @Test(
            "A second agent can't take over what the first one answers for, and says so; the first one goes on",
            arguments: [false, true])
        func secondAgent(_ hasOtherOutputs: Bool) async throws {
            try await Household.open { house in
                let (first, _) = try await house.keep()
                try house.done(await house.m2m("call", "heater", "on"))
                let edges = try house.edges()
                try house.writeDevice([.noRouter, .keeper] + Self.other + (hasOtherOutputs ? [.pump] : []))
                let second = try house.start("m2m-agent", ["run", "--config", house.configuration])
                try await second.errors.next("word of the output that is in use") {
                    $0.contains("output does not work") && $0.contains("another agent has its outputs")
                }
                let socket = ["M2M_SOCKET": house.folder.file("greenhouse/other.sock")]
                let refused = try await house.run("m2m", ["call", "heater", "off"], variables: socket)
                #expect(refused.status == 1)
                #expect(refused.errors.joined().contains("another agent has its outputs"), "\(refused)")
                #expect(try house.edges() == edges)

                // Its end is no loss of an agent to the keeper, and the first one's is no end of the world to it.
                second.signal(SIGTERM)
                #expect(try await second.end() == .exited(0))
                #expect(try await house.value("heater.on") == true)
                try house.done(await house.m2m("call", "heater", "off"))
                first.signal(SIGTERM)
                #expect(try await first.end() == .exited(0))
            }
        }

        @Test("The status of the keeper has value, deadline, reason and line, for people and for programs")
        func status() async throws {
            try await Household.open { house in
                let (agent, _) = try await house.keep()
                let safe = try await house.keeperStatus()
                #expect(safe["value"] == "off")
                #expect(safe["safe"] == "off")
                #expect(safe["until"] == .null)
                #expect(safe["cause"] == "start")
                #expect(try safe["line"].text.hasPrefix("GPIO5 (simulated-header offset 5)"))
                try house.done(await house.m2m("call", "heater", "on", "--lease", "10m"))
                let held = try await house.keeperStatus()
                #expect(held["value"] == "on")
                #expect(held["cause"] == "order")
                #expect(try 0...600 ~= held["until"].number)
                #expect(held["interventions"] == 0)
                let text = try house.done(
                    await house.run(Made.simulatedKeeper.path, ["status", "--socket", house.keeperSocket]))
                #expect(text.output.first?.hasPrefix("OUTPUT ") == true)
                let row = /heater +on +off +[0-9.]+ s +by order +[0-9.]+ s +0 +GPIO5 .+/
                #expect(text.output.last?.wholeMatch(of: row) != nil, "\(text)")

                agent.signal(SIGKILL)
                let lost = try await house.untilKeeper { $0["value"] == "off" }
                #expect(lost["cause"] == "agent-lost")
                #expect(lost["interventions"] == 1)
            }
        }

        @Test("Where there is no keeper, its status says so, with 3") func noKeeper() async throws {
            try await Household.open { house in
                let status = try await house.run(Made.simulatedKeeper.path, ["status", "--socket", house.keeperSocket])
                #expect(status.status == 3)
                #expect(status.errors.first?.contains("no keeper can be reached at \(house.keeperSocket)") == true)
            }
        }

        /// Runs a program as another user; needs root.
        private static let setpriv = "/usr/bin/setpriv"

        @Test(
            "Another user of the machine is sent away with 4, and the keeper says who came",
            .enabled(
                if: geteuid() == 0 && access(setpriv, X_OK) == 0,
                "only root can be another user, with \(setpriv)"))
        func stranger() async throws {
            try await Household.open { house in
                let (_, keeper) = try await house.keep()
                // The stranger reaches the socket: what keeps it out is the keeper.
                for folder in ["", "greenhouse"] { chmod(house.folder.file(folder), 0o711) }
                let program = house.folder.file("keeper-for-all")
                try house.done(await house.run("/bin/cp", [Made.simulatedKeeper.path, program]))
                chmod(program, 0o755)
                let asNobody = ["--reuid=65534", "--regid=65534", "--clear-groups", program]
                let status = try await house.run(Self.setpriv, asNobody + ["status", "--socket", house.keeperSocket])
                #expect(status.status == 4, "\(status)")
                #expect(status.output.isEmpty)
                #expect(status.errors.joined().contains("it answers root, its own user and the owner of its table"))
                try await keeper.errors.next(with: "user 65534 may not give orders")
                #expect(try await house.keeperStatus()["value"] == "off")
            }
        }
    }
}
