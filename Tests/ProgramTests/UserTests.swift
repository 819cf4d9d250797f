import TestSupport
import Testing

extension ProgramTests {
    /// Promise: accounts are made from two lines on standard input, never from the command line, and only as they can be.
    @Suite(.serialized, .timeLimit(.minutes(1))) struct UserTests {
        private func add(_ house: Household, _ name: String, _ input: String...) async throws -> Outcome {
            try await house.run("m2m-router", ["user", "add", name, "--data", house.routerData], input: input)
        }

        private func list(_ house: Household) async throws -> [String] {
            let arguments = ["user", "list", "--json", "--data", house.routerData]
            return try house.done(await house.run("m2m-router", arguments)).output
        }

        @Test("An account is made once; a second one of the name is an error, and changes nothing")
        func twice() async throws {
            try await Household.open { house in
                let first = try await add(house, "anna", Household.password, Household.code)
                #expect(first.status == 0)
                #expect(first.output == ["account 'anna' is there"])
                let second = try await add(house, "anna", "other horse", "654321")
                #expect(second.status == 1)
                #expect(second.errors == ["m2m-router: there is an account 'anna' already"])
                #expect(try await list(house) == ["{\"user\":\"anna\",\"locked\":false}"])
                try await house.startRouter()
                #expect(try await house.login().status == 0)
            }
        }

        @Test(
            "A bad name, a short password, a code that is none, and missing lines are each said in a sentence, with 1",
            arguments: [
                (
                    "An na", ["correct horse", "123456"],
                    "an account's name is 1 to 63 of a-z, 0-9, - . _ and @, not 'An na'"
                ),
                ("", ["correct horse", "123456"], "an account's name is 1 to 63 of a-z"),
                ("bert", ["horse", "123456"], "a password has 8 characters at least"),
                ("bert", ["correct horse", "12345"], "a security code has exactly 6 digits"),
                ("bert", ["correct horse", "abcdef"], "a security code has exactly 6 digits"),
                (
                    "bert", ["correct horse"],
                    "security code (six digits) is missing: give it as a line on standard input"
                ),
                ("bert", [], "password is missing: give it as a line on standard input"),
            ])
        func bad(_ name: String, _ input: [String], _ words: String) async throws {
            try await Household.open { house in
                let arguments = ["user", "add", name, "--data", house.routerData]
                let outcome = try await house.run("m2m-router", arguments, input: input)
                #expect(outcome.status == 1)
                #expect(outcome.output.isEmpty)
                #expect(outcome.errors.count == 1)
                #expect(outcome.errors.joined().hasPrefix("m2m-router: \(words)"), "\(outcome)")
                #expect(try await list(house) == [])
            }
        }

        @Test("No program takes a password or a code as an argument", arguments: ["--password", "--code"])
        func arguments(_ option: String) async throws {
            try await Household.open { house in
                for (program, arguments) in [
                    ("m2m-router", ["user", "add", "anna", "--data", house.routerData]),
                    ("m2m", ["login", "wss://127.0.0.1:1", "--user", "anna"]),
                ] {
                    let outcome = try await house.run(program, arguments + [option, "correct horse"])
                    #expect(outcome.status == 2)
                    #expect(outcome.errors.joined().contains("Unknown option '\(option)'"))
                }
            }
        }

        @Test("Other secrets end every session at once, and only they log in then")
        func secrets() async throws {
            try await Household.open { house in
                _ = try house.done(await add(house, "anna", Household.password, Household.code))
                try await house.startRouter()
                _ = try house.done(await house.login())
                let change = ["user", "secrets", "anna", "--data", house.routerData]
                let outcome = try await house.run("m2m-router", change, input: ["battery staple", "654321"])
                #expect(outcome.output == ["account 'anna' has other secrets, and is logged in nowhere"])
                #expect(try await house.run("m2m", ["whoami"]).status == 4)
                #expect(try await house.login().status == 4)
                #expect(try await house.login(password: "battery staple", code: "654321").status == 0)
            }
        }

        @Test(
            "An account that is not there can be neither changed, unlocked nor removed",
            arguments: ["secrets", "unlock", "remove"])
        func unknown(_ command: String) async throws {
            try await Household.open { house in
                let outcome = try await house.run("m2m-router", ["user", command, "bert", "--data", house.routerData])
                #expect(outcome.status == 1)
                #expect(
                    outcome.errors == [
                        "m2m-router: there is no account 'bert'; `m2m-router user list` shows them all"
                    ])
            }
        }
    }
}
