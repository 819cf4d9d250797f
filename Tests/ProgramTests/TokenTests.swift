import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: whoever has copied a session's token has nothing once the session has ended: by a logout, by its owner from
    /// elsewhere, or by the clock.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct TokenTests {
        private static let minute = 60
        private static let hasEnded = "m2m: this session has ended; log in again with `m2m login`"

        /// Somebody elsewhere, with a copy of the session's file.
        private struct Thief {
            let house: Household
            let file: String

            init(_ house: Household, _ name: String = "copy.json") throws {
                (self.house, file) = (house, house.folder.file(name))
                try FileManager.default.copyItem(atPath: house.session, toPath: file)
            }

            func m2m(_ arguments: String...) async throws -> Outcome {
                try await house.run("m2m", arguments, variables: ["M2M_SESSION": file])
            }

            /// Begins to watch, and is told something.
            func watch() async throws -> Program {
                let watch = try house.start("m2m", ["watch", "greenhouse", "--json"], variables: ["M2M_SESSION": file])
                try await watch.output.nextJSON("device") { $0["device"] == "greenhouse" }
                return watch
            }

            /// Sees that the copy is worth nothing, and that what was begun with it has come to its end.
            func expectNothing(_ watch: Program? = nil) async throws {
                if let outcome = try await watch?.outcome() {
                    #expect(outcome.status == 4)
                    #expect(outcome.errors.joined().contains("this session has ended"), "\(outcome)")
                }
                for command in ["whoami", "devices", "sessions", "audit"] {
                    let outcome = try await m2m(command)
                    #expect(outcome.status == 4)
                    #expect(outcome.output.isEmpty)
                    #expect(outcome.errors == [TokenTests.hasEnded])
                }
                let call = try await m2m("call", "greenhouse/heater", "on")
                #expect(call.status == 4)
                #expect(call.errors == [TokenTests.hasEnded])
            }
        }

        /// A device, of which whoever watches is told at once.
        private func addDevice(_ house: Household) async throws -> Program {
            try house.writeDevice()
            try await house.enroll()
            let agent = try house.start("m2m-agent", ["run", "--config", house.configuration])
            try await agent.errors.next(with: "connected to the router")
            return agent
        }

        private func setClock(_ house: Household, ahead seconds: Int) throws {
            try house.folder.write("wall-shift", "\(seconds)\n")
        }

        @Test("After the logout a copy is good for nothing, and what was being watched with it ends")
        func logout() async throws {
            try await Household.open { house in
                _ = try await house.settle()
                let thief = try Thief(house)
                let watch = try await thief.watch()
                try house.done(await thief.m2m("whoami"))
                try house.done(await house.m2m("logout"))
                try await thief.expectNothing(watch)
            }
        }

        @Test("A session that is ended from another one is good for nothing from then on; the other one goes on")
        func revoked() async throws {
            try await Household.open { house in
                _ = try await house.settle()
                let thief = try Thief(house)
                let watch = try await thief.watch()
                let theirs = try #require(
                    try house.done(await thief.m2m("sessions", "--json")).json.first { $0["current"] == true })
                try house.done(await house.login())

                let list = try house.done(await house.m2m("sessions", "--json")).json
                #expect(list.count == 2)
                #expect(list.first { $0["session"] == theirs["session"] }?["current"] == false)
                let unknown = try await house.m2m("sessions", "--end", "nobody")
                #expect(unknown.status == 1)
                let name = try theirs["session"].text
                let end = try house.done(await house.m2m("sessions", "--end", name))
                #expect(end.output == ["session \(name) has ended"])
                try await thief.expectNothing(watch)
                #expect(try house.done(await house.m2m("sessions", "--json")).json.count == 1)
            }
        }

        @Test("After 15 minutes without use the token wants the security code, without which it is good for nothing")
        func idle() async throws {
            try await Household.open { house in
                try setClock(house, ahead: 0)
                try await house.moveIn(variables: house.shiftedWallClock())
                let thief = try Thief(house)
                try house.done(await house.m2m("whoami"))
                // Each use begins the time anew.
                for minutes in [14, 28] {
                    try setClock(house, ahead: minutes * Self.minute)
                    try house.done(await thief.m2m("whoami"))
                }
                try setClock(house, ahead: 43 * Self.minute)
                for command in ["whoami", "devices", "logout"] {
                    let outcome = try await thief.m2m(command)
                    #expect(outcome.status == 4)
                    #expect(outcome.output.isEmpty)
                    #expect(outcome.errors.joined().contains("wants the security code"), "\(outcome)")
                }
                let token = try JSON(String(contentsOfFile: thief.file, encoding: .utf8))["token"].text
                let port = try #require(Int(house.url.split(separator: ":").last ?? ""))
                #expect(try await answer(token, "654321", port).contains("the security code is wrong"))
                #expect(try await house.m2m("whoami").status == 4)
                // Its owner has the code, and brings it back with that.
                #expect(try await answer(token, Household.code, port).contains("session"))
                try house.done(await house.m2m("whoami"))
            }
        }

        /// What the router says to a token and a code.
        private func answer(_ token: String, _ code: String, _ port: Int) async throws -> String {
            let person = try await RawPerson(from: "127.0.0.1", port: port)
            defer { person.hangUp() }
            #expect(try await person.ask("resume", ["token": token]).contains("code_wanted"))
            return try await person.ask("code", ["code": code])
        }

        @Test("After twelve hours a session is over, though it was used all the time") func overAfterTwelveHours()
            async throws
        {
            try await Household.open { house in
                try setClock(house, ahead: 0)
                try await house.moveIn(variables: house.shiftedWallClock())
                _ = try await addDevice(house)
                try house.done(await house.login())
                let thief = try Thief(house)
                let watch = try await thief.watch()
                for minutes in stride(from: 0, through: 714, by: 14) {
                    try setClock(house, ahead: minutes * Self.minute)
                    try house.done(await house.m2m("whoami"))
                }
                try setClock(house, ahead: 719 * Self.minute)
                try house.done(await thief.m2m("whoami"))
                try setClock(house, ahead: 720 * Self.minute)
                try await thief.expectNothing(watch)
                // A new login is a new session.
                try house.done(await house.login())
                try house.done(await house.m2m("whoami"))
            }
        }
    }
}
