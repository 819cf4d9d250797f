import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: a copy of a device's key is noticed, a key can be changed and revoked, and the device says what it is told.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct CopiedKeyTests {
        private func stop(_ agent: Program) async throws {
            agent.signal(SIGTERM)
            #expect(try await agent.end() == .exited(0))
        }

        private func startAgent(_ house: Household) async throws -> Program {
            let agent = try house.start("m2m-agent", ["run", "--config", house.configuration])
            try await agent.errors.next(with: "connected to the router")
            return agent
        }

        private func call(_ house: Household) async throws -> Outcome {
            try await house.m2m("call", "greenhouse/heater", "on")
        }

        @Test(
            "A copy that takes turns with the device raises the alarm; commands are withheld until the owner trusts it")
        func takesTurns() async throws {
            try await Household.open { house in
                let (_, first) = try await house.settle()
                try await stop(first)
                let copy = house.folder.file("copy")
                try FileManager.default.copyItem(atPath: house.stateDirectory, toPath: copy)
                try await stop(try await startAgent(house))
                #expect(try await house.m2m("devices", "--json").output.first?.contains("alarm") == false)

                // The other machine, with what it has copied.
                try FileManager.default.removeItem(atPath: house.stateDirectory)
                try FileManager.default.moveItem(atPath: copy, toPath: house.stateDirectory)
                let agent = try await startAgent(house)
                try await agent.errors.next(with: "the router withholds commands from this device")
                let refused = try await call(house)
                #expect(refused.status == 1)
                #expect(refused.errors.joined().contains("commands are withheld"))
                #expect(try await house.m2m("devices").output.contains { $0.contains("m2m enable greenhouse") })

                try house.done(await house.m2m("enable", "greenhouse"))
                try house.done(await call(house))
                #expect(try await house.m2m("devices", "--json").output.first?.contains("alarm") == false)
                try await stop(agent)
            }
        }

        @Test("With another key the device is back by itself, and the old one is worth nothing") func rotated()
            async throws
        {
            try await Household.open { house in
                let (_, agent) = try await house.settle()
                let key = "\(house.stateDirectory)/device.key"
                let old = try String(contentsOfFile: key, encoding: .utf8)
                let rotated = try house.done(
                    await house.run("m2m-agent", ["rotate", "--config", house.configuration]))
                #expect(rotated.output.first == "greenhouse has another key now; its fingerprint is")
                #expect(try String(contentsOfFile: key, encoding: .utf8) != old)
                #expect(
                    try FileManager.default.attributesOfItem(atPath: key)[.posixPermissions] as? Int == 0o600)
                #expect(!FileManager.default.fileExists(atPath: "\(key).next"))
                try await agent.errors.next(with: "connected to the router")
                try house.done(await call(house))
                try await stop(agent)

                try old.write(toFile: key, atomically: false, encoding: .utf8)
                let thief = try house.start("m2m-agent", ["run", "--config", house.configuration])
                try await thief.errors.next(with: "this device is not known here")
                try await stop(thief)
            }
        }

        @Test("Revoked, the device is cut off at once, and says why; a new claim code brings it back") func revoked()
            async throws
        {
            try await Household.open { house in
                let (_, agent) = try await house.settle()
                try house.done(await house.m2m("revoke", "greenhouse"))
                try await agent.errors.next(with: "this device's owner has revoked it")
                #expect(try await house.m2m("devices", "--json").output.first?.contains("\"revoked\"") == true)
                #expect(try await call(house).status != 0)
                try await stop(agent)
                let code = try await house.claim()
                let enroll = ["enroll", "--config", house.configuration, "--claim", code]
                let refused = try await house.run("m2m-agent", enroll)
                #expect(refused.status == 1)
                #expect(refused.errors.joined().contains("this device's key was revoked; remove device.key"))
                try FileManager.default.removeItem(atPath: "\(house.stateDirectory)/device.key")
                try house.done(await house.run("m2m-agent", enroll))
                let again = try await startAgent(house)
                try house.done(await call(house))
                try await stop(again)
            }
        }

        @Test("Somebody else's device can be neither revoked nor trusted, and looks like none") func others()
            async throws
        {
            try await Household.open { house in
                try await house.moveIn()
                for command in ["revoke", "enable"] {
                    let outcome = try await house.m2m(command, "cellar")
                    #expect(outcome.status == 1)
                    #expect(
                        outcome.errors == ["m2m: there is no device 'cellar' in your space; `m2m devices` lists them"])
                }
            }
        }
    }
}
