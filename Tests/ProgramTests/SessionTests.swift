import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: who is not logged in is told so, and secrets come from standard input, are kept where nobody else reads
    /// them, and can't be guessed.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct SessionTests {
        @Test("Who never logged in is told how, with 4; also when the router is not there") func never() async throws {
            try await Household.open { house in
                for command in ["devices", "read greenhouse/climate", "call greenhouse/heater on", "claim greenhouse"] {
                    let outcome = try await house.run("m2m", command.split(separator: " ").map(String.init))
                    #expect(outcome.status == 4)
                    #expect(outcome.output.isEmpty)
                    #expect(outcome.errors == ["m2m: you are not logged in; `m2m login URL --user NAME` does that"])
                }
                let logout = try await house.m2m("logout")
                #expect(logout.status == 0)
                #expect(logout.output == ["you were not logged in"])
            }
        }

        @Test("A session is a file for its owner alone, and gone after the logout, also at the router")
        func session() async throws {
            try await Household.open { house in
                try await house.moveIn()
                let attributes = try FileManager.default.attributesOfItem(atPath: house.session)
                #expect(attributes[.posixPermissions] as? Int == 0o600)
                let kept = try String(contentsOfFile: house.session, encoding: .utf8)
                #expect(!kept.contains(Household.password))
                #expect(!kept.contains(Household.code))
                let who = try house.done(await house.m2m("whoami"))
                #expect(who.output.first?.hasPrefix("anna at ") == true)

                let logout = try house.done(await house.m2m("logout"))
                #expect(logout.output == ["logged out of \(house.url)"])
                #expect(!FileManager.default.fileExists(atPath: house.session))
                #expect(try await house.m2m("devices").status == 4)

                // Who has kept a copy has kept nothing.
                try house.folder.write("session.json", kept)
                let ended = try await house.m2m("devices")
                #expect(ended.status == 4)
                #expect(ended.errors == ["m2m: this session has ended; log in again with `m2m login`"])
                #expect(try await house.m2m("logout").status == 0)
                #expect(!FileManager.default.fileExists(atPath: house.session))
            }
        }

        @Test("A session file that is none is named, with what to do") func damaged() async throws {
            try await Household.open { house in
                try house.folder.write("session.json", "{")
                let outcome = try await house.m2m("devices")
                #expect(outcome.status == 1)
                #expect(
                    outcome.errors == [
                        "m2m: \(house.session) is no session: remove it, and log in again with `m2m login`"
                    ])
            }
        }

        @Test("A session goes on after the router was started again") func routerRestarted() async throws {
            try await Household.open { house in
                let router = try await house.moveIn()
                router.signal(9)
                try await router.end()
                try await house.startRouter()
                #expect(try await house.m2m("whoami").status == 0)
            }
        }

        @Test("A wrong password and an unknown user get the same answer, a wrong code its own, and all 4")
        func wrong() async throws {
            try await Household.open { house in
                try await house.addUser()
                try await house.startRouter()
                let password = try await house.login(password: "wrong horse")
                #expect(password.status == 4)
                #expect(password.errors.first?.hasPrefix("m2m: name or password is wrong") == true)
                let user = try await house.run(
                    "m2m", ["login", house.url, "--user", "bert", "--ca", house.ca],
                    input: [Household.password, Household.code])
                #expect(user.errors == password.errors)
                #expect(user.status == 4)
                let code = try await house.login(code: "654321")
                #expect(code.status == 4)
                #expect(code.errors == ["m2m: the security code is wrong"])
                #expect(!FileManager.default.fileExists(atPath: house.session))
                #expect(try await house.login().status == 0)
            }
        }

        @Test("Five wrong codes lock the account; it says so, and how it is unlocked; live sessions go on")
        func lock() async throws {
            try await Household.open { house in
                try await house.moveIn()
                for _ in 0..<5 { #expect(try await house.login(code: "654321").status == 4) }
                let locked = try await house.login()
                #expect(locked.status == 4)
                #expect(locked.errors.joined().contains("m2m-router user unlock"))
                let list = try house.done(
                    await house.run("m2m-router", ["user", "list", "--json", "--data", house.routerData]))
                #expect(list.output == ["{\"user\":\"anna\",\"locked\":true}"])
                #expect(try await house.m2m("whoami").status == 0)

                let unlock = ["user", "unlock", "anna", "--data", house.routerData]
                let open = try house.done(await house.run("m2m-router", unlock))
                #expect(open.output == ["account 'anna' is open"])
                #expect(try await house.login().status == 0)
            }
        }

        @Test("A session of an account that is removed has ended, and its devices are gone") func removed() async throws
        {
            try await Household.open { house in
                let (_, agent) = try await house.settle()
                let remove = ["user", "remove", "anna", "--data", house.routerData]
                let gone = try house.done(await house.run("m2m-router", remove))
                #expect(gone.output == ["account 'anna' is gone"])
                let outcome = try await house.m2m("devices")
                #expect(outcome.status == 4)
                #expect(outcome.errors.joined().contains("m2m login"))
                try await agent.errors.next(with: "no link to the router")
            }
        }
    }
}
