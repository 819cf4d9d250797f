import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: who did what, from where, and what came of it, is written down where its owner can read it; and `audit
    /// verify` says that nobody has changed it, also while the router runs.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct AuditTests {
        /// The entries of an act, as soon as there is one.
        private func entries(_ house: Household, _ act: String) async throws -> [JSON] {
            let outcome = try await house.m2m("audit", "--json") { lines in
                try lines.contains { try JSON($0)["act"] == .text(act) }
            }
            return try outcome.json.filter { $0["act"] == .text(act) }
        }

        private func expect(
            _ entry: JSON?, _ who: String, _ object: String? = nil, _ result: String = "done",
            at place: SourceLocation = #_sourceLocation
        ) throws {
            let entry = try #require(entry, sourceLocation: place)
            #expect(entry["who"] == .text(who), sourceLocation: place)
            #expect(entry["from"] == "127.0.0.1", sourceLocation: place)
            #expect(object.map { entry["object"] == .text($0) } ?? true, "\(entry)", sourceLocation: place)
            #expect(entry["result"] == .text(result), sourceLocation: place)
            let date = try Date("\(entry["time"].text.prefix(19))Z", strategy: .iso8601)
            #expect(abs(date.timeIntervalSinceNow) < 3_600, sourceLocation: place)
        }

        @Test("Logins, failures, commands, enrolment and revocation are there: who, from where, what, and the result")
        func entries() async throws {
            try await Household.open { house in
                _ = try await house.settle()
                #expect(try await house.login(password: "wrong horse").status == 4)
                #expect(try await house.login(code: "654321").status == 4)
                try house.done(await house.login())
                try house.done(await house.m2m("call", "greenhouse/heater", "on", "--lease", "30s"))
                #expect(try await house.m2m("call", "greenhouse/heater", "fly").status == 1)
                try house.done(await house.m2m("call", "heater", "off"))  // on the device itself
                let told = try await house.m2m("audit", "--json") { lines in
                    try lines.contains { try JSON($0)["from"] == "device greenhouse" }
                }
                let local = try #require(try told.json.first { $0["from"] == "device greenhouse" })
                #expect(try local["who"].text.hasPrefix("uid \(getuid()) "), "\(local)")
                #expect(try local["who"].text.hasSuffix(" on greenhouse"), "\(local)")
                try house.done(await house.m2m("revoke", "greenhouse"))

                try expect(try await entries(house, "login-failed").first, "anna", nil, "wrong name or password")
                try expect(try await entries(house, "code-failed").first, "anna", nil, "wrong security code")
                let logins = try await entries(house, "login")
                #expect(logins.count == 2)
                try expect(logins.last, "anna")
                let name = try house.done(await house.m2m("sessions", "--json")).json.first { $0["current"] == true }
                #expect(try logins.last?["object"] == .text("session \(name?["session"].text ?? "")"))
                try expect(try await entries(house, "claim-made").first, "anna", "greenhouse")
                try expect(try await entries(house, "device-enrolled").first, "device greenhouse")
                try expect(try await entries(house, "device-revoked").first, "anna", "greenhouse")
                let commands = try await entries(house, "command").filter { $0["from"] == "127.0.0.1" }
                #expect(commands.count == 2)
                try expect(commands.first, "anna", "greenhouse/heater on lease=30s")
                #expect(commands.last?["object"] == "greenhouse/heater fly")
                let refusal = try commands.last?["result"].text ?? ""
                #expect(refusal.hasPrefix("refused: heater has no action 'fly'"), "\(refusal)")
            }
        }

        @Test("One object a line for programs, a sentence for people; the newest, or what is not too old")
        func forms() async throws {
            try await Household.open { house in
                _ = try await house.settle()
                try house.done(await house.m2m("call", "greenhouse/heater", "on"))
                _ = try await entries(house, "command")
                let all = try house.done(await house.m2m("audit", "--json")).json
                #expect(all.count > 3)
                for entry in all {
                    #expect(entry.keys.subtracting(["object"]) == ["time", "who", "from", "act", "result"])
                }
                let last = try house.done(await house.m2m("audit", "--json", "--limit", "1"))
                #expect(try last.json == [all[all.count - 1]])
                #expect(try house.done(await house.m2m("audit", "--since", "1h", "--json")).json == all)

                let text = try house.done(await house.m2m("audit")).output
                #expect(text.count == all.count)
                #expect(text.last?.hasSuffix("  anna from 127.0.0.1: command greenhouse/heater on") == true, "\(text)")
                #expect(try await house.m2m("audit", "--limit", "-1").status == 2)
            }
        }

        @Test("A sound log is said to be sound, with its end, while the router writes it and when it has stopped")
        func sound() async throws {
            try await Household.open { house in
                let (router, agent) = try await house.settle()
                try house.done(await house.m2m("call", "greenhouse/heater", "on"))
                _ = try await entries(house, "command")
                try await expectSound(house)
                for process in [agent, router] {
                    process.signal(SIGTERM)
                    #expect(try await process.end() == .exited(0))
                }
                try await expectSound(house)
                let nowhere = try await house.run(
                    "m2m-router", ["audit", "verify", "--data", house.folder.file("nowhere")])
                #expect(nowhere.status == 1)
                #expect(nowhere.errors.joined().contains("is --data the router's folder?"))
            }
        }

        private func expectSound(_ house: Household) async throws {
            let verified = try await house.run("m2m-router", ["audit", "verify", "--data", house.routerData])
            let log = "\(house.routerData)/audit.log"
            #expect(try verified.findings(in: log).isEmpty)
            let last = try #require(try house.read(log).split(separator: "\n").last)
            let (number, hash) = (try JSON(String(last))["seq"].number, try JSON(String(last))["hash"].text)
            #expect(
                verified.output == [
                    "the audit log is sound: \(Int(number)) entries, the last one with the hash \(hash)",
                    "compared with what 1 devices were told",
                ])
        }
    }
}
