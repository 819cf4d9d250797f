import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: `m2m doctor` names what is wrong with the device on which it runs, why, and what cures it; `m2m diag`
    /// packs it all up without a secret.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct DoctorTests {
        /// A device on a simulated board with nothing to mend, on a machine whose clock is synchronised.
        private func settle(
            _ house: Household, _ edits: [GreenhouseFile.Edit] = []
        ) async throws -> (router: Program, agent: Program) {
            try house.folder.write("wall-shift", "0 synchronised\n")
            let router = try await house.moveIn()
            try house.writeDevice(edits)
            try await house.enroll()
            let agent = try house.start("m2m-agent", ["run", "--config", house.configuration])
            try await agent.errors.next(with: "connected to the router")
            return (router, agent)
        }

        private func doctor(_ house: Household, _ arguments: String...) async throws -> Outcome {
            try await house.run("m2m", ["doctor"] + arguments, variables: house.shiftedWallClock())
        }

        /// The fault at a place, when it is the only one.
        private func fault(_ house: Household, at place: String) async throws -> JSON {
            let outcome = try await doctor(house, "--config", house.configuration, "--json")
            #expect(outcome.status == 1, "\(outcome)")
            let faults = try outcome.json.filter { try $0["severity"].text == "fault" }
            #expect(try faults.map { try $0["check"].text } == [place], "\(outcome)")
            return try #require(faults.first)
        }

        @Test("Where all is well it says so, place by place, and finds the configuration of the agent by itself")
        func sound() async throws {
            try await Household.open { house in
                let (_, agent) = try await settle(house)
                let outcome = try house.done(await doctor(house))
                #expect(outcome.output.last == "nothing to mend", "\(outcome)")
                #expect(outcome.output.contains { $0.contains("\(house.configuration) is right: greenhouse") })
                #expect(outcome.output.contains { $0.hasPrefix("ok       router        the agent is connected to") })
                #expect(
                    outcome.output.contains { $0.hasPrefix("ok       i2c           0x76 answers on bus 1: climate") })
                let json = try house.done(await doctor(house, "--json")).json
                #expect(json.count == outcome.output.count { $0.hasPrefix("ok ") || $0.hasPrefix("note ") })
                #expect(try json.allSatisfy { try ["ok", "note"].contains($0["severity"].text) })
                agent.signal(SIGTERM)
                #expect(try await agent.end() == .exited(0))
            }
        }

        @Test("An agent that does not run") func stopped() async throws {
            try await Household.open { house in
                let (_, agent) = try await settle(house)
                agent.signal(SIGTERM)
                #expect(try await agent.end() == .exited(0))
                let fault = try await fault(house, at: "agent")
                #expect(try fault["cure"].text.contains("m2m-agent run --config \(house.configuration)"), "\(fault)")
            }
        }

        @Test("A mistake in the configuration of an agent that runs") func mistake() async throws {
            try await Household.open { house in
                _ = try await settle(house)
                try house.writeDevice([GreenhouseFile.Edit("interval = \"1s\"", "interval = \"1 parsec\"")])
                let fault = try await fault(house, at: "configuration")
                #expect(try fault["finding"].text.hasPrefix("\(house.configuration):"), "\(fault)")
            }
        }

        @Test("No configuration at all") func none() async throws {
            try await Household.open { house in
                let file = house.folder.file("nowhere.toml")
                let outcome = try await doctor(house, "--config", file)
                #expect(outcome.status == 1)
                #expect(outcome.output.contains("fault    configuration there is no \(file)"), "\(outcome)")
            }
        }

        @Test("A sensor that answers at another address than is configured") func address() async throws {
            try await Household.open { house in
                let (_, agent) = try await settle(house, [GreenhouseFile.Edit("address = 0x76", "address = 0x77")])
                let fault = try await fault(house, at: "i2c")
                #expect(try fault["finding"].text == "climate: nothing answers at 0x77 on I²C bus 1")
                // Typed as it is, with a sudo and a systemctl that are not needed here.
                let cure = "sudo() { \"$@\"; }; systemctl() { kill -HUP \(agent.id); }; "
                try house.done(await house.run("/bin/sh", ["-c", cure + (try fault["cure"].text)]))
                _ = try await house.m2m("read", "greenhouse/climate.temperature") { lines in
                    lines.contains { $0.contains("good") }
                }
                try house.done(await doctor(house, "--config", house.configuration))
            }
        }

        @Test("A router that is away") func away() async throws {
            try await Household.open { house in
                let (router, agent) = try await settle(house)
                router.signal(SIGKILL)
                try await router.end()
                try await agent.errors.next(with: "no link to the router")
                let fault = try await fault(house, at: "router")
                #expect(try fault["cause"].text.contains("Connection refused"), "\(fault)")
            }
        }

        @Test("A router's name that leads nowhere") func name() async throws {
            try await Household.open { house in
                _ = try await settle(house)
                let text = try String(contentsOfFile: house.configuration, encoding: .utf8)
                try house.folder.write(
                    "greenhouse/agent.toml",
                    text.replacingOccurrences(of: house.url, with: "wss://router.invalid:8443"))
                #expect(try await fault(house, at: "dns")["finding"].text == "the name router.invalid leads nowhere")
            }
        }

        @Test("A router that is not the one that was enrolled with") func certificate() async throws {
            try await Household.open { house in
                _ = try await settle(house)
                try await Household.open { other in
                    _ = try await other.startRouter()
                    let certificate = try Data(contentsOf: URL(filePath: other.ca))
                    try certificate.write(to: URL(filePath: "\(house.stateDirectory)/router-ca.pem"))
                }
                let fault = try await fault(house, at: "tls")
                #expect(try fault["cure"].text.contains("router-ca.pem"), "\(fault)")
            }
        }

        @Test("A device that is not enrolled") func stranger() async throws {
            try await Household.open { house in
                try house.folder.write("wall-shift", "0 synchronised\n")
                _ = try await house.moveIn()
                try house.writeDevice([GreenhouseFile.Edit("[local]", "ca_file = \"../router/tls/ca.pem\"\n\n[local]")])
                _ = try await house.startAgent()
                let fault = try await fault(house, at: "router")
                #expect(try fault["finding"].text == "this device is not enrolled")
            }
        }

        @Test("A file that was changed") func changed() async throws {
            try await Household.open { house in
                try FileManager.default.createDirectory(
                    atPath: house.folder.file("watched"), withIntermediateDirectories: true)
                try house.folder.write("watched/a", "as it is meant to be")
                let (_, agent) = try await settle(
                    house,
                    [GreenhouseFile.Edit("[board]\nkind", "[integrity]\npaths = [\"../watched\"]\n\n[board]\nkind")])
                try house.done(await house.m2m("integrity", "greenhouse", "approve"))
                try house.folder.write("watched/a", "something else")
                try await agent.errors.next(with: "files: changed")
                let fault = try await fault(house, at: "integrity")
                #expect(try fault["finding"].text == "1 file is not as approved")
            }
        }

        @Test("The archive has it all, and no secret; one that is there already stays as it is") func archive()
            async throws
        {
            try await Household.open { house in
                _ = try await settle(house)
                let archive = house.folder.file("diag.tar.gz")
                let text = try String(contentsOfFile: house.configuration, encoding: .utf8)
                try house.folder.write("greenhouse/agent.toml", text + "\n# password = \"hunter2\"\n")
                let packed = try house.done(
                    await house.m2m("diag", "--config", house.configuration, "--output", archive))
                #expect(packed.output == ["\(archive): look through it before you pass it on"])
                let listed = try house.done(await house.run("/bin/tar", ["--list", "--file", archive])).output
                for name in ["doctor.txt", "status.txt", "agent.toml", "log.txt", "machine.txt"] {
                    #expect(listed.contains { $0.hasSuffix("/\(name)") }, "\(name)")
                }
                let all = try house.done(await house.run("/bin/tar", ["--extract", "--to-stdout", "--file", archive]))
                #expect(all.output.contains { $0.contains("id = \"greenhouse\"") })
                #expect(all.output.contains("# password = \"[removed]\""))
                #expect(!all.output.contains { $0.contains("hunter2") })
                let mode = try FileManager.default.attributesOfItem(atPath: archive)[.posixPermissions] as? Int
                #expect(mode == 0o600)
                let again = try await house.m2m("diag", "--output", archive)
                #expect(again.status == 1)
                #expect(again.errors == ["m2m: there is \(archive) already; name another with --output"])
            }
        }
    }
}
