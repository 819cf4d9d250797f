import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: a disk that does not answer holds up the watch over its files, and nothing else.
    @Suite(.serialized, .timeLimit(.minutes(3)), .enabled(if: SilentMount.isPossible, "root mounts, by FUSE"))
    struct SilentDiskTests {
        @Test("Without a baseline that could be had the device connects all the same, and says more as soon as it can")
        func noBaseline() async throws {
            try await Household.open { house in
                let inner = house.folder.file("disk/inner")
                try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: true)
                try house.folder.write("disk/inner/a", "text")
                _ = try await house.moveIn()
                try house.writeDevice([
                    GreenhouseFile.Edit("[board]\nkind", "[integrity]\npaths = [\"../disk/inner\"]\n\n[board]\nkind")
                ])
                try await house.enroll()
                var mount: SilentMount? = try SilentMount(over: house.folder.file("disk"))
                let agent = try house.start("m2m-agent", ["run", "--config", house.configuration])
                try await agent.errors.next(with: "connected to the router")
                #expect(mount != nil)
                try house.done(await house.m2m("call", "greenhouse/heater", "on"))
                let status = try house.done(await house.m2m("integrity", "greenhouse", "--json"))
                let state = try status.json.first?["integrity"]["state"]
                #expect(state == "starting", "\(status)")
                let early = try await house.m2m("integrity", "greenhouse", "approve")
                #expect(early.status != 0)
                mount = nil
                try await agent.errors.next(with: "connected to the router")
                _ = try await house.m2m("integrity", "greenhouse", "--json") { lines in
                    try lines.contains { try JSON($0)["integrity"]["state"] == "intact" }
                }
                try house.done(await house.m2m("integrity", "greenhouse", "approve"))
                agent.signal(SIGTERM)
                #expect(try await agent.end() == .exited(0))
            }
        }

        @Test("An agent whose watch hangs ends in order") func end() async throws {
            try await Household.open { house in
                let inner = house.folder.file("disk/inner")
                try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: true)
                try house.writeDevice([
                    GreenhouseFile.Edit("[board]\nkind", "[integrity]\npaths = [\"../disk/inner\"]\n\n[board]\nkind")
                ])
                let mount = try SilentMount(over: house.folder.file("disk"))
                let agent = try await house.startAgent()
                agent.signal(SIGTERM)
                try await agent.errors.next(with: "agent has stopped; outputs are safe")
                #expect(try await agent.end() == .exited(0))
                withExtendedLifetime(mount) {}
            }
        }
    }
}
