import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: an update that its makers have signed raises no alarm, not even that of the agent itself; anything else does
    /// meanwhile, and no other signature counts.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct ReleaseTests {
        private static let openssl = "/usr/bin/openssl"
        private static let release = "m2m-agent 9.9.9"

        /// A household whose agent lies in a folder over which it watches, and whose router knows a release key.
        private func settle(_ house: Household) async throws -> Program {
            try FileManager.default.createDirectory(atPath: house.folder.file("bin"), withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: Household.programs + "m2m-agent", toPath: agentFile(house))
            try house.folder.write("bin/notes", "of the version before")
            let edit = GreenhouseFile.Edit(
                "[board]\nkind", "[integrity]\npaths = [\"../bin\"]\nresponse = \"disable\"\n\n[board]\nkind")
            let (router, agent) = try await house.settle([edit])
            try await stop(agent)
            router.signal(SIGTERM)
            _ = try await router.end()
            for name in ["release", "other"] {
                try house.done(
                    await house.run(
                        Self.openssl, ["genpkey", "-algorithm", "ed25519", "-out", house.folder.file("\(name).key")]))
                let files = ["-in", house.folder.file("\(name).key"), "-out", house.folder.file("\(name).pub")]
                try house.done(await house.run(Self.openssl, ["pkey", "-pubout"] + files))
            }
            try house.folder.write("router.toml", "release_keys = [\"\(house.folder.file("release.pub"))\"]\n")
            try await house.startRouter(["--config", house.folder.file("router.toml")])
            let own = try await startAgent(house)
            try house.done(await house.m2m("integrity", "greenhouse", "approve"))
            try house.done(await house.m2m("call", "greenhouse/heater", "on"))
            return own
        }

        private func agentFile(_ house: Household) -> String { house.folder.file("bin/m2m-agent") }

        private func startAgent(_ house: Household) async throws -> Program {
            let agent = try house.start(agentFile(house), ["run", "--config", house.configuration])
            try await agent.errors.next(with: "connected to the router")
            return agent
        }

        private func stop(_ agent: Program) async throws {
            agent.signal(SIGTERM)
            #expect(try await agent.end() == .exited(0))
        }

        /// Makes the release as its makers do, beside the device: the agent with some bytes more, a file less, another one.
        private func makeManifest(_ house: Household, key: String = "release") async throws -> String {
            let files = FileManager.default
            let bin = house.folder.file("bin")
            for name in ["old", "new"] {
                let place = house.folder.file(name + bin)
                if files.fileExists(atPath: place) { try files.removeItem(atPath: place) }
                try files.createDirectory(
                    atPath: (place as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
                try files.copyItem(atPath: bin, toPath: place)
            }
            let new = house.folder.file("new" + bin)
            let program = try Data(contentsOf: URL(fileURLWithPath: agentFile(house)))
            try (program + Data("more".utf8)).write(to: URL(fileURLWithPath: "\(new)/m2m-agent"))
            try files.removeItem(atPath: "\(new)/notes")
            try Data("new".utf8).write(to: URL(fileURLWithPath: "\(new)/news"))
            // A manifest that is longer than a text on the wire may be.
            for number in 0..<40 {
                try Data("page \(number)".utf8).write(to: URL(fileURLWithPath: "\(new)/page-\(number)"))
            }
            for name in ["old", "new"] {
                chmod(house.folder.file("\(name)\(bin)/m2m-agent"), 0o755)
                chmod(house.folder.file("\(name)\(bin)"), 0o755)
            }
            let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().path
            let made = try house.done(
                await house.run(
                    "\(source)/Scripts/release-manifest",
                    [
                        "--release", Self.release, "--key", house.folder.file("\(key).key"),
                        "--owner", "\(getuid())", "--group", "\(getgid())", house.folder.file("old"),
                        house.folder.file("new"),
                    ]))
            let manifest = house.folder.file("\(key).manifest")
            try (made.output.joined(separator: "\n") + "\n").write(toFile: manifest, atomically: false, encoding: .utf8)
            return manifest
        }

        /// Puts the new version in the place of the old one, file by file, as dpkg does.
        private func install(_ house: Household) throws {
            let (bin, new) = (house.folder.file("bin"), house.folder.file("new" + house.folder.file("bin")))
            for name in ["m2m-agent", "news"] + (0..<40).map({ "page-\($0)" }) {
                try FileManager.default.copyItem(atPath: "\(new)/\(name)", toPath: "\(bin)/\(name).dpkg-new")
                #expect(rename("\(bin)/\(name).dpkg-new", "\(bin)/\(name)") == 0)
            }
            #expect(unlink("\(bin)/notes") == 0)
        }

        /// Waits until the release is what the files are meant to be, and sees that nobody was alarmed by it.
        private func arrived(_ house: Household) async throws {
            _ = try await house.m2m("integrity", "greenhouse", "--json") { lines in
                try lines.contains { line in
                    let (approval, files) = (try JSON(line)["approval"], try JSON(line)["integrity"])
                    return approval["by"] == .text("release \(Self.release)") && files["state"] == "intact"
                }
            }
            try house.done(await house.m2m("call", "greenhouse/heater", "on"))
            let told = try house.done(await house.m2m("history", "greenhouse/integrity", "--json")).json
            let alarms = told.filter { ["changed", "replaced", "mended", "disabled"].contains($0["event"]) }
            #expect(alarms.isEmpty, "\(alarms)")
            #expect(told.contains { $0["event"] == "expecting" })
            let acts = try house.done(await house.m2m("audit", "--json")).json
            #expect(acts.contains { $0["act"] == "files-release" && $0["result"] == "done" })
            #expect(
                acts.contains {
                    $0["act"] == "files-adopted" && $0["result"] == .text("approved by release \(Self.release)")
                })
        }

        @Test("The agent's own update, installed while it runs or while it is stopped", arguments: [true, false])
        func ownUpdate(isRunning: Bool) async throws {
            try await Household.open { house in
                let agent = try await settle(house)
                let manifest = try await makeManifest(house)
                let answer = try house.done(
                    await house.m2m("integrity", "greenhouse", "approve", "--manifest", manifest))
                #expect(answer.output.contains { $0.contains("next       release \(Self.release)") }, "\(answer)")
                if isRunning { try install(house) }
                try await stop(agent)
                if !isRunning { try install(house) }
                let updated = try await startAgent(house)
                try await arrived(house)
                // It is done: whoever brings it again is told so.
                let again = try await house.m2m("integrity", "greenhouse", "approve", "--manifest", manifest)
                #expect(again.status == 1)
                #expect(again.errors.joined().contains("all of it is approved already"), "\(again)")
                // And what is no part of it is a change like any other.
                try house.folder.write("bin/news", "tampered with")
                try await updated.errors.next(with: "the device is disabled: its outputs are made safe")
                try await stop(updated)
            }
        }

        @Test("What comes with a release and is not of it disables the device; its files alone do not") func more()
            async throws
        {
            try await Household.open { house in
                let agent = try await settle(house)
                let manifest = try await makeManifest(house)
                try house.done(await house.m2m("integrity", "greenhouse", "approve", "--manifest", manifest))
                try house.folder.write("bin/backdoor", "")
                try await agent.errors.next(with: "the device is disabled: its outputs are made safe")
                _ = try await house.m2m("integrity", "greenhouse", "--json") { lines in
                    try lines.contains { try JSON($0)["integrity"]["state"] == "disabled" }
                }
                try install(house)
                try await agent.errors.next(with: "files: approved")
                #expect(try await house.m2m("integrity", "greenhouse", "enable").status == 1)
                try FileManager.default.removeItem(atPath: house.folder.file("bin/backdoor"))
                try await agent.errors.next(with: "files: mended")
                try house.done(await house.m2m("integrity", "greenhouse", "enable"))
                try house.done(await house.m2m("call", "greenhouse/heater", "on"))
                try await stop(agent)
            }
        }

        @Test("Another key, another text, other files, no file: refused, with the reason, and nothing is expected")
        func refused() async throws {
            try await Household.open { house in
                let agent = try await settle(house)
                let manifest = try await makeManifest(house)
                let text = try String(contentsOfFile: manifest, encoding: .utf8)
                try house.folder.write("forged", text.replacingOccurrences(of: "0755", with: "4755"))
                try house.folder.write("cut", String(text.prefix(200)))
                try house.folder.write("bin/notes", "mended by hand")
                try await agent.errors.next(with: "the device is disabled: its outputs are made safe")
                try house.done(await house.m2m("integrity", "greenhouse", "approve"))
                let stranger = try await makeManifest(house, key: "other")
                for (file, status, words) in [
                    (stranger, 4, "fits none of this router's release_keys"),
                    (house.folder.file("forged"), 4, "fits none of this router's release_keys"),
                    (house.folder.file("cut"), 2, "of the manifest"), ("/nowhere", 1, "there is no file /nowhere"),
                    (
                        manifest, 1,
                        "for other files than were approved here: \(house.folder.file("bin/notes")): content"
                    ),
                ] as [(String, Int32, String)] {
                    let outcome = try await house.m2m("integrity", "greenhouse", "approve", "--manifest", file)
                    #expect(outcome.status != 0, "\(outcome), and not \(status)")
                    #expect(outcome.errors.joined(separator: " ").contains(words), "\(outcome)")
                }
                let shown = try house.done(await house.m2m("integrity", "greenhouse", "--json")).json
                #expect(shown.first?["approval"]["next"] == .null)
                try await stop(agent)
            }
        }
    }
}
