import Glibc
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: the agent does its work, and ends in order, though nobody reads what it logs.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct UnreadLogTests {
        @Test("With a full pipe as its log, or a terminal that was stopped, the agent works and ends as ever")
        func fullPipe() async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                // The shell has both ends of the pipe, fills it, and becomes the agent.
                let fill = "mkfifo \"$0\" && exec 3<>\"$0\" && dd if=/dev/zero of=\"$0\" bs=4096 count=16 2>/dev/null"
                let agent = try house.start(
                    "/bin/sh",
                    [
                        "-c", "\(fill) && exec \"$@\" 2>&3", house.folder.file("log"),
                        Household.programs + "m2m-agent", "run", "--config", house.configuration,
                    ])
                _ = try await house.m2m("status") { lines in lines.contains { $0.hasPrefix("component") } }
                try await house.untilReading("heater.on") { $0["quality"] == "good" }
                try house.done(await house.m2m("call", "heater", "on"))
                agent.signal(SIGTERM)
                #expect(try await agent.end() == .exited(0))
            }
        }
    }
}
