import Glibc
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: the agent does its work, and ends in order, though nobody reads what it logs.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct UnreadLogTests {
        /// Lets a shell prepare a log, of which it knows a file as `$0`, and become the agent, which works and ends as
        /// ever.
        private func run(
            _ house: Household, _ preparation: String, log: String, _ file: String,
            meanwhile: (Program) async throws -> Void = { _ in }
        ) async throws {
            try house.writeDevice([.noRouter])
            let agent = try house.start(
                "/bin/sh",
                [
                    "-c", "\(preparation) exec \"$@\" 2>\(log)", file, Household.programs + "m2m-agent", "run",
                    "--config", house.configuration,
                ])
            _ = try await house.m2m("status") { lines in lines.contains { $0.hasPrefix("component") } }
            try await house.untilReading("heater.on") { $0["quality"] == "good" }
            try house.done(await house.m2m("call", "heater", "on"))
            try await meanwhile(agent)
            agent.signal(SIGTERM)
            #expect(try await agent.end() == .exited(0))
        }

        @Test("With a full pipe as its log the agent works and ends as ever") func fullPipe() async throws {
            try await Household.open { house in
                // The shell has both ends of the pipe, fills it, and becomes the agent.
                let fill =
                    "mkfifo \"$0\" && exec 3<>\"$0\" && dd if=/dev/zero of=\"$0\" bs=4096 count=16 2>/dev/null &&"
                try await run(house, fill, log: "&3", house.folder.file("log"))
            }
        }

        @Test("With a terminal that nobody reads it does so, too, and says in the end how much was lost")
        func terminal() async throws {
            try await Household.open { house in
                let terminal = try UnreadTerminal()
                try await run(house, "", log: "\"$0\"", terminal.path) { agent in
                    let lines = terminal.read()
                    // Whatever is logged before there is room again is lost, too.
                    _ = try await house.m2m("status") { _ in
                        agent.signal(SIGHUP)
                        return lines.all.contains { $0.contains(#/^\([1-9][0-9]* lines could not be written\) /#) }
                    }
                }
            }
        }
    }
}
