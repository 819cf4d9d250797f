import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: five wrong security codes lock an account until somebody at the router's own machine unlocks it, and not
    /// for a time; who is in meanwhile goes on, and can make everything safe.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct LockTests {
        private static let year = 366 * 86_400

        /// Gives the right password and a wrong code five times: only then is the account locked.
        private func lock(_ house: Household) async throws {
            for number in 1...5 {
                let wrong = try await house.login(code: "65432\(number)")
                #expect(wrong.status == 4)
                #expect(wrong.errors.joined().contains("m2m: the security code is wrong"), "\(wrong)")
                #expect(wrong.errors.joined().contains("the account is locked now") == (number == 5), "\(wrong)")
                #expect(try await isLocked(house) == (number == 5))
            }
        }

        /// Whether the list of the accounts says so, to programs and to people.
        private func isLocked(_ house: Household) async throws -> Bool {
            let arguments = ["user", "list", "--data", house.routerData]
            let account = try #require(
                try house.done(await house.run("m2m-router", arguments + ["--json"])).json.first)
            let shown = try house.done(await house.run("m2m-router", arguments)).output
            let words = account["locked"] == true ? "locked" : "open"
            #expect(shown.contains { $0.wholeMatch(of: /anna +(\w+)/)?.1 ?? "" == words }, "\(shown)")
            return account["locked"] == true
        }

        private func unlock(_ house: Household) async throws {
            let arguments = ["user", "unlock", Household.user, "--data", house.routerData]
            #expect(try house.done(await house.run("m2m-router", arguments)).output == ["account 'anna' is open"])
            #expect(try await !isLocked(house))
        }

        /// Runs `m2m` on a machine whose clock is ahead as the router's is.
        private func m2m(_ house: Household, _ arguments: String..., input: [String] = []) async throws -> Outcome {
            try await house.run("m2m", arguments, input: input, variables: house.shiftedWallClock())
        }

        @Test("Locked out, a session that was there before still reads, and still switches the heater off")
        func liveSession() async throws {
            try await Household.open { house in
                _ = try await house.settle()
                try house.done(await house.m2m("call", "greenhouse/heater", "on"))
                let watch = try house.start("m2m", ["watch", "greenhouse/heater", "--json"])
                try await watch.output.nextJSON("device") { $0["state"] == "online" }
                try await lock(house)
                let locked = try await house.login()
                #expect(locked.status == 4)
                #expect(locked.errors.joined().contains("the account is locked (`m2m-router user unlock NAME`"))

                try house.done(await house.m2m("read", "greenhouse/climate.temperature"))
                try house.done(await house.m2m("call", "greenhouse/heater", "off"))
                #expect(try await house.value("heater.on") == false)
                try await watch.output.nextJSON("heater that is off") {
                    $0["property"] == "on" && $0["value"] == false
                }
                try await unlock(house)
                try house.done(await house.login())
            }
        }

        @Test("A router that is started again a year later has not forgotten that it locked an account")
        func aYearLater() async throws {
            try await Household.open { house in
                let router = try await house.moveIn()
                try await lock(house)
                router.signal(SIGTERM)
                #expect(try await router.end() == .exited(0))

                try house.folder.write("wall-shift", "\(Self.year)\n")
                try await house.startRouter(variables: house.shiftedWallClock())
                #expect(try await isLocked(house))
                let login = ["login", house.url, "--user", Household.user, "--ca", house.ca]
                let secrets = [Household.password, Household.code]
                let locked = try await house.run(
                    "m2m", login, input: secrets, variables: house.shiftedWallClock())
                #expect(locked.status == 4)
                #expect(locked.errors.joined().contains("the account is locked"), "\(locked)")

                try await unlock(house)
                try house.done(
                    await house.run("m2m", login, input: secrets, variables: house.shiftedWallClock()))
                // It really is a year later.
                let session = try house.done(await m2m(house, "whoami", "--json"))
                let end = try Date("\(session.json[0]["expires"].text.prefix(19))Z", strategy: .iso8601)
                #expect(end > Date.now + TimeInterval(Self.year))
            }
        }
    }
}
