import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: a device whose files are not as approved disables itself, tells its owner, and stays so until they enable
    /// it: link or no link, restarted, rolled back or emptied.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct TamperTests {
        /// A household whose device watches over a folder, and is disabled when something in it changes.
        private func settle(_ house: Household) async throws -> (router: Program, agent: Program) {
            try FileManager.default.createDirectory(
                atPath: house.folder.file("watched"), withIntermediateDirectories: true)
            try house.folder.write("watched/a", "as it is meant to be")
            let edit = GreenhouseFile.Edit(
                "[board]\nkind", "[integrity]\npaths = [\"../watched\"]\nresponse = \"disable\"\n\n[board]\nkind")
            let programs = try await house.settle([edit])
            try house.done(await house.m2m("integrity", "greenhouse", "approve"))
            return programs
        }

        private func stop(_ agent: Program) async throws {
            agent.signal(SIGTERM)
            #expect(try await agent.end() == .exited(0))
        }

        private func startAgent(_ house: Household) async throws -> Program {
            let agent = try house.start("m2m-agent", ["run", "--config", house.configuration])
            try await agent.errors.next(with: "connected to the router")
            return agent
        }

        private func isDisabled(_ house: Household, because reason: String) async throws {
            let shown = try await house.m2m("integrity", "greenhouse", "--json") { lines in
                try lines.contains { try JSON($0)["integrity"]["state"] == "disabled" }
            }
            #expect(shown.output.contains { $0.contains(reason) }, "\(shown)")
            _ = try await house.m2m("devices") { $0.contains { $0.contains("disabled") } }
            let refused = try await house.m2m("call", "greenhouse/heater", "on")
            #expect(refused.status == 1)
            #expect(refused.errors.joined().contains("this device is disabled"))
            try house.done(await house.m2m("call", "greenhouse/heater", "off"))
        }

        private func enable(_ house: Household) async throws {
            try house.done(await house.m2m("integrity", "greenhouse", "enable"))
            try house.done(await house.m2m("call", "greenhouse/heater", "on"))
        }

        @Test(
            "With the link down: safe at once, told when it is back, disabled after a restart, enabled by the owner alone"
        )
        func linkDown() async throws {
            try await Household.open { house in
                let (router, agent) = try await settle(house)
                router.signal(9)
                _ = try await router.end()
                try house.done(await house.m2m("call", "heater", "on"))
                try house.folder.write("watched/a", "tampered with")
                try await agent.errors.next(with: "the device is disabled: its outputs are made safe")
                _ = try await house.m2m("probe") { $0.contains { $0.contains("GPIO5") && $0.contains("inactive") } }
                #expect(try await house.m2m("call", "heater", "on").status == 1)
                #expect(try await house.m2m("integrity", "greenhouse", "enable").status == 3)
                agent.signal(9)
                _ = try await agent.end()
                try await house.startRouter()
                let again = try await startAgent(house)
                _ = try await house.m2m("history", "greenhouse/integrity") { lines in
                    lines.contains { $0.contains("changed") && $0.contains("watched/a: content") }
                }
                try await isDisabled(house, because: "content")
                let early = try await house.m2m("integrity", "greenhouse", "enable")
                #expect(early.status == 1)
                #expect(early.errors.joined().contains("approve or mend them first"))
                try house.folder.write("watched/a", "as it is meant to be")
                try await again.errors.next(with: "files: mended")
                try await isDisabled(house, because: "content")
                try await enable(house)
                try await stop(again)
                let mended = try await startAgent(house)
                try house.done(await house.m2m("call", "greenhouse/heater", "on"))
                try await stop(mended)
            }
        }

        @Test("Changed while the agent is stopped: noticed at its start") func whileStopped() async throws {
            try await Household.open { house in
                let (_, agent) = try await settle(house)
                try await stop(agent)
                try house.folder.write("watched/new", "")
                let again = try await startAgent(house)
                try await isDisabled(house, because: "watched/new: added")
                #expect(
                    try house.done(await house.m2m("integrity", "greenhouse", "approve")).output.contains {
                        $0.contains("approving 1 change")
                    })
                try await enable(house)
                try await stop(again)
            }
        }

        @Test("A baseline made on another machine, and files to go with it: noticed when it connects") func swapped()
            async throws
        {
            try await Household.open { house in
                let (_, agent) = try await settle(house)
                try await stop(agent)
                let (kept, baseline) = (house.folder.file("kept"), "\(house.stateDirectory)/integrity.baseline")
                try FileManager.default.copyItem(atPath: house.stateDirectory, toPath: kept)
                // What the agent makes of the files where nobody knows the device.
                for name in ["integrity.baseline", "device.key"] {
                    try FileManager.default.removeItem(atPath: "\(house.stateDirectory)/\(name)")
                }
                try house.folder.write("watched/a", "tampered with")
                let foreign = try await house.startAgent()
                _ = try await house.m2m("integrity", "--json") {
                    try $0.contains { try JSON($0)["integrity"]["state"] == "intact" }
                }
                try await stop(foreign)
                let made = try Data(contentsOf: URL(fileURLWithPath: baseline))
                try FileManager.default.removeItem(atPath: house.stateDirectory)
                try FileManager.default.moveItem(atPath: kept, toPath: house.stateDirectory)
                try made.write(to: URL(fileURLWithPath: baseline))

                let again = try await startAgent(house)
                try await isDisabled(house, because: "its baseline was lost or replaced")
                // The device sees no change; the router does.
                let shown = try house.done(await house.m2m("integrity", "greenhouse", "show"))
                #expect(shown.output.contains { $0.contains("watched/a: content") }, "\(shown)")
                try house.done(await house.m2m("integrity", "greenhouse", "approve"))
                try await enable(house)
                try await stop(again)
            }
        }

        @Test("State and files both as they were last week: noticed when it connects") func rolledBack() async throws {
            try await Household.open { house in
                let (_, agent) = try await settle(house)
                try await stop(agent)
                let kept = house.folder.file("kept")
                try FileManager.default.copyItem(atPath: house.stateDirectory, toPath: kept)
                let later = try await startAgent(house)
                try house.folder.write("watched/a", "a later version")
                try await later.errors.next(with: "files: changed")
                try house.done(await house.m2m("integrity", "greenhouse", "approve"))
                try await enable(house)
                try await stop(later)

                let record = try Data(contentsOf: URL(fileURLWithPath: "\(house.stateDirectory)/link-record"))
                try FileManager.default.removeItem(atPath: house.stateDirectory)
                try FileManager.default.moveItem(atPath: kept, toPath: house.stateDirectory)
                try record.write(to: URL(fileURLWithPath: "\(house.stateDirectory)/link-record"))
                try house.folder.write("watched/a", "as it is meant to be")
                let again = try await startAgent(house)
                try await isDisabled(house, because: "its baseline is number 1, and number 2 was approved")
                try await stop(again)
            }
        }

        @Test(
            "Everything but its key is gone: it waits for its router, which lets it go on only with what was approved")
        func emptied() async throws {
            try await Household.open { house in
                let (router, agent) = try await settle(house)
                try await stop(agent)
                let names = [
                    "integrity.baseline", "integrity.state", "disabled", "store.db", "store.db-wal", "store.db-shm",
                ]
                func empty() {
                    for name in names { try? FileManager.default.removeItem(atPath: "\(house.stateDirectory)/\(name)") }
                }
                empty()
                router.signal(9)
                _ = try await router.end()
                let alone = try await house.startAgent()
                try await alone.errors.hold("until its router has said it")
                #expect(try await house.m2m("call", "heater", "on").status == 1)
                try await house.startRouter()
                try await alone.errors.next(with: "the device is commanded again")
                try house.done(await house.m2m("call", "greenhouse/heater", "on"))
                try await stop(alone)

                empty()
                try house.folder.write("watched/a", "tampered with")
                let again = try await startAgent(house)
                try await isDisabled(house, because: "its baseline was lost or replaced")
                try await stop(again)
            }
        }

        @Test("In a window there is no alarm; what it brought is approved, or is an alarm at its end") func window()
            async throws
        {
            try await Household.open { house in
                let (_, agent) = try await settle(house)
                try house.done(await house.m2m("integrity", "greenhouse", "window", "10m"))
                try house.folder.write("watched/a", "another version")
                _ = try await house.m2m("integrity", "greenhouse", "show") { $0.contains { $0.contains("content") } }
                try house.done(await house.m2m("integrity", "greenhouse", "approve"))
                try house.done(await house.m2m("integrity", "greenhouse", "window", "0s"))
                try house.done(await house.m2m("call", "greenhouse/heater", "on"))
                #expect(!agent.errors.all.contains { $0.contains("files: changed") })

                try house.done(await house.m2m("integrity", "greenhouse", "window", "10m"))
                try house.folder.write("watched/b", "not approved")
                _ = try await house.m2m("integrity", "greenhouse", "show") { $0.contains { $0.contains("added") } }
                // It outlives the agent.
                try await stop(agent)
                let again = try await startAgent(house)
                try house.done(await house.m2m("call", "greenhouse/heater", "on"))
                try house.done(await house.m2m("integrity", "greenhouse", "window", "0s"))
                try await again.errors.next(with: "files: changed")
                try await isDisabled(house, because: "watched/b: added")
                try await stop(again)
            }
        }

        @Test(
            "Not configured, and wanted from afar: the agent watches over itself and its configuration, and goes on so")
        func fromAfar() async throws {
            try await Household.open { house in
                let (_, agent) = try await house.settle()
                let off = try house.done(await house.m2m("integrity", "greenhouse"))
                #expect(off.output.first?.contains("the files are not watched") == true)
                #expect(!off.output.contains { $0.hasPrefix("approved ") }, "\(off)")
                #expect(try await house.m2m("integrity", "greenhouse", "window", "5m").status == 1)
                let unknown = try await house.m2m("integrity", "greenhouse", "approve")
                #expect(unknown.errors.joined().contains("its files are not watched; [integrity]"), "\(unknown)")
                try house.done(await house.m2m("integrity", "greenhouse", "enable", "--response", "disable"))
                _ = try await house.m2m("integrity", "greenhouse") { $0.contains { $0.contains("as approved") } }
                try house.done(await house.m2m("integrity", "greenhouse", "approve"))
                try await stop(agent)
                let again = try await startAgent(house)
                let text = try String(contentsOfFile: house.configuration, encoding: .utf8)
                try "\(text)# tampered with\n".write(toFile: house.configuration, atomically: false, encoding: .utf8)
                try await again.errors.next(with: "the device is disabled")
                try await isDisabled(house, because: "agent.toml")
                let trusted = try house.done(await house.m2m("enable", "greenhouse"))
                #expect(trusted.output.last?.contains("`m2m integrity greenhouse enable` ends") == true, "\(trusted)")
                try house.done(await house.m2m("integrity", "greenhouse", "approve"))
                let mended = try house.done(await house.m2m("integrity", "greenhouse"))
                #expect(mended.output.last?.contains("the files are as approved now: ") == true, "\(mended)")
                try await stop(again)
                let gone = try await house.m2m("integrity", "greenhouse", "show")
                #expect(gone.status == 3)
                #expect(gone.errors.joined().hasPrefix("m2m: greenhouse is not connected; "), "\(gone)")
            }
        }

        @Test("What only the owner decides wants the code; a wrong one is counted, and changes nothing")
        func withoutCode()
            async throws
        {
            try await Household.open { house in
                try house.folder.write("wall-shift", "0 synchronised\n")
                try await house.moveIn(variables: house.shiftedWallClock())
                try FileManager.default.createDirectory(
                    atPath: house.folder.file("watched"), withIntermediateDirectories: true)
                try house.writeDevice([
                    GreenhouseFile.Edit(
                        "[board]\nkind",
                        "[integrity]\npaths = [\"../watched\"]\nresponse = \"disable\"\n\n[board]\nkind")
                ])
                try await house.enroll()
                let agent = try await startAgent(house)
                try house.done(await house.m2m("integrity", "greenhouse", "approve"))
                try house.folder.write("watched/new", "")
                try await agent.errors.next(with: "the device is disabled")
                try FileManager.default.removeItem(atPath: house.folder.file("watched/new"))
                try await agent.errors.next(with: "files: mended")
                // Six minutes later whoever sits at the terminal has to know the code.
                try house.folder.write("wall-shift", "360 synchronised\n")
                for verb in [["enable"], ["window", "10m"]] {
                    let words = ["integrity", "greenhouse"] + verb
                    let none = try await house.run("m2m", words)
                    #expect(none.status != 0, "\(none)")
                    let wrong = try await house.run("m2m", words, input: ["654321"])
                    #expect(wrong.errors.joined().contains("the security code is wrong"), "\(wrong)")
                }
                let counted = try await house.m2m("audit", "--json", input: [Household.code])
                #expect(try house.done(counted).json.contains { $0["act"] == "code-failed" })
                _ = try await house.m2m("devices") { $0.contains { $0.contains("disabled") } }
                #expect(try await house.m2m("call", "greenhouse/heater", "on").status == 1)
                try house.done(await house.m2m("integrity", "greenhouse", "enable", input: [Household.code]))
                try house.done(await house.m2m("call", "greenhouse/heater", "on"))
                try await stop(agent)
            }
        }

        @Test("Its configuration does not talk a device out of being disabled: neither `alert` nor no watch at all")
        func downgraded() async throws {
            try await Household.open { house in
                let (_, agent) = try await settle(house)
                try await stop(agent)
                let text = try String(contentsOfFile: house.configuration, encoding: .utf8)
                func configure(_ old: String, _ new: String) throws {
                    try text.replacingOccurrences(of: old, with: new).write(
                        toFile: house.configuration, atomically: false, encoding: .utf8)
                }
                try configure("response = \"disable\"", "response = \"alert\"")
                let weaker = try await startAgent(house)
                _ = try await house.m2m("integrity", "greenhouse", "--json") { lines in
                    try lines.contains { try JSON($0)["integrity"]["response"] == "disable" }
                }
                try house.folder.write("watched/b", "tampered with")
                try await weaker.errors.next(with: "the device is disabled")
                try FileManager.default.removeItem(atPath: house.folder.file("watched/b"))
                try await weaker.errors.next(with: "files: mended")
                try await enable(house)
                try await stop(weaker)

                // What it had to remember is gone with the rest of its state, and so is the watch itself.
                for name in ["integrity.state", "integrity.baseline"] {
                    try FileManager.default.removeItem(atPath: "\(house.stateDirectory)/\(name)")
                }
                try configure("[integrity]\npaths = [\"../watched\"]\nresponse = \"disable\"\n", "")
                for _ in 0..<2 {
                    let blind = try await startAgent(house)
                    _ = try await house.m2m("devices") { $0.contains { $0.contains("does not watch over its files") } }
                    let refused = try await house.m2m("call", "greenhouse/heater", "on")
                    #expect(refused.status == 1)
                    #expect(refused.errors.joined().contains("this device is disabled"), "\(refused)")
                    try house.done(await house.m2m("call", "greenhouse/heater", "off"))
                    try await stop(blind)
                }
            }
        }

        @Test("A window that nobody has opened: its router knows of none, and the device is disabled")
        func forgedWindow()
            async throws
        {
            try await Household.open { house in
                let (_, agent) = try await settle(house)
                try await stop(agent)
                let boot = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
                    .replacingOccurrences(of: "-", with: "").trimmingCharacters(in: .whitespacesAndNewlines)
                let file = "\(house.stateDirectory)/integrity.state"
                let state = (try? String(contentsOfFile: file, encoding: .utf8)) ?? "end\n"  // safe: then it has none
                try "window \(boot) 9000000000000000000\n\(state)".write(
                    toFile: file, atomically: false, encoding: .utf8)
                try house.folder.write("watched/b", "tampered with")
                let again = try await startAgent(house)
                try await again.errors.next(with: "files: window-over")
                try await isDisabled(house, because: "nobody has opened a window")
                try await stop(again)
            }
        }

        @Test("A release that nobody has handed in is not let pass: its router knows of none") func forgedRelease()
            async throws
        {
            try await Household.open { house in
                let (_, agent) = try await settle(house)
                try await stop(agent)
                let shown = try house.done(await house.m2m("integrity", "greenhouse", "--json"))
                #expect(!shown.output.isEmpty)
                // As if the file that is changed were of a release that never comes to its end.
                let watched = house.folder.file("watched")
                let (one, two) = (String(repeating: "1", count: 64), String(repeating: "2", count: 64))
                try
                    "m2m expectation 1 2 \(one)\nm2m-manifest 1\nrelease forged 1\n+ file 0644 0 0 1 \(two) \(watched)/b\nsignature \(one)\(one)\n"
                    .write(
                        toFile: "\(house.stateDirectory)/integrity.expected", atomically: false, encoding: .utf8)
                try house.folder.write("watched/b", "tampered with")
                let again = try await startAgent(house)
                try await isDisabled(house, because: "watched/b: added")
                try await stop(again)
            }
        }

        @Test("On the device itself one may look, and neither approve nor enable; no words are too many") func local()
            async throws
        {
            try await Household.open { house in
                let (_, agent) = try await settle(house)
                try house.done(await house.m2m("integrity", "show"))
                for words in [
                    ["integrity", "approve"], ["integrity", "window"], ["integrity", "greenhouse", "dance"],
                    ["integrity", "greenhouse", "window", "soon"], ["integrity", "greenhouse", "status", "now"],
                ] {
                    #expect(try await house.run("m2m", words).status == 2, "\(words)")
                }
                let turned = try await house.m2m("integrity", "approve", "greenhouse")
                #expect(turned.errors.first?.contains("`m2m integrity greenhouse approve`") == true, "\(turned)")
                let other = try await house.m2m("integrity", "cellar", "approve")
                #expect(other.errors == ["m2m: there is no device 'cellar' in your space; `m2m devices` lists them"])
                try await stop(agent)
            }
        }
    }
}
