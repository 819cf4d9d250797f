import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: who guesses passwords only makes themselves wait: they lock nobody out, and fill no disk.
    ///
    /// The guesses come from addresses of their own; everybody else here comes from 127.0.0.1.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct GuessingTests {
        private static let source = "127.0.0.2"

        /// What becomes of a guess.
        private enum Answer: Hashable {
            /// It was looked at, and is wrong.
            case wrong
            /// It was not looked at: there were too many before it.
            case later
            /// The router hung up: its address comes too often.
            case hungUp
            case other(String)
        }

        private func guess(
            _ password: String, _ port: Int, from source: String = source, for forwarded: String? = nil
        ) async -> Answer {
            do {
                let person = try await RawPerson(from: source, port: port, for: forwarded)
                defer { person.hangUp() }
                let answer = try await person.ask("login", ["user": Household.user, "password": password])
                if answer.contains("name or password is wrong") { return .wrong }
                return answer.contains("too many") ? .later : .other(answer)
            } catch is RawPerson.HungUp {
                return .hungUp
            } catch {
                return .other("\(error)")
            }
        }

        /// Guesses, so many at a time that the router has enough to do.
        private func guess(_ numbers: Range<Int>, _ port: Int) async -> [Answer: Int] {
            await withTaskGroup(of: Answer.self) { group in
                var next = numbers.lowerBound
                func add() {
                    guard next < numbers.upperBound else { return }
                    group.addTask { [next] in await guess("guess number \(next)", port) }
                    next += 1
                }
                for _ in 0..<24 { add() }
                var answers: [Answer: Int] = [:]
                for await answer in group {
                    answers[answer, default: 0] += 1
                    add()
                }
                return answers
            }
        }

        @Test("1000 wrong passwords from one address lock nothing, and their owner gets in from another one")
        func thousand() async throws {
            try await Household.open { house in
                try await house.moveIn()
                let port = try #require(Int(house.url.split(separator: ":").last ?? ""))
                let before = await guess(0..<500, port)
                async let meanwhile = guess(500..<1_000, port)
                try house.done(await house.login())
                let answers = before.merging(await meanwhile, uniquingKeysWith: +)
                #expect(answers.values.reduce(0, +) == 1_000)
                // Its burst of 200 is heard, of which a few are looked at; all others cost the router next to nothing.
                #expect(answers[.wrong, default: 0] >= 3, "\(answers)")
                #expect(answers[.wrong, default: 0] + answers[.later, default: 0] >= 200, "\(answers)")
                #expect(Set(answers.keys).isSubset(of: [.wrong, .later, .hungUp]), "\(answers)")

                try await expectOpen(house)
            }
        }

        @Test("Wrong passwords from many addresses, all of which are looked at, don't add up to a lock either")
        func manyAddresses() async throws {
            try await Household.open { house in
                try await house.moveIn()
                let port = try #require(Int(house.url.split(separator: ":").last ?? ""))
                for address in 3...5 {
                    for number in 1...2 {
                        let answer = await guess("guess number \(number)", port, from: "127.0.0.\(address)")
                        #expect(answer == .wrong)
                    }
                }
                try await expectOpen(house)
            }
        }

        @Test("A trusted proxy's word is taken for whom it asks, and nobody else's")
        func proxy() async throws {
            try await Household.open { house in
                try house.folder.write("router.toml", "trusted_proxies = [\"127.0.0.2\"]\n")
                try await house.moveIn(["--config", house.folder.file("router.toml")])
                let port = try #require(Int(house.url.split(separator: ":").last ?? ""))
                #expect(await isHeldOff(port, from: "127.0.0.2") { _ in "203.0.113.5" })
                #expect(await guess("once more", port, from: "127.0.0.2", for: "203.0.113.6") == .wrong)
                #expect(await isHeldOff(port, from: "127.0.0.3") { "203.0.113.\($0)" })
            }
        }

        /// Whether three guesses are looked at, and one of the next is not: the pause grows with each that comes too late
        /// for it, as on a slow machine.
        private func isHeldOff(_ port: Int, from source: String, for client: (Int) -> String) async -> Bool {
            for number in 0..<10 {
                let answer = await guess("\(number)", port, from: source, for: client(number))
                if answer == .later { return number >= 3 }
                guard answer == .wrong else { return false }
            }
            return false
        }

        /// Nothing is locked, and the right password and code let their owner in.
        private func expectOpen(_ house: Household) async throws {
            let arguments = ["user", "list", "--json", "--data", house.routerData]
            let list = try house.done(await house.run("m2m-router", arguments))
            #expect(list.output == ["{\"user\":\"anna\",\"locked\":false}"])
            try house.done(await house.login())
        }

        @Test("The audit log says how many there were, from where, in a few lines") func audited() async throws {
            try await Household.open { house in
                let router = try await house.moveIn()
                let port = try #require(Int(house.url.split(separator: ":").last ?? ""))
                let answers = await guess(0..<100, port)
                router.signal(SIGTERM)
                #expect(try await router.end() == .exited(0))
                let arguments = ["audit", "list", "--limit", "1000", "--data", house.routerData]
                let failures = try house.done(await house.run("m2m-router", arguments)).json.filter {
                    $0["act"] == "login-failed"
                }
                #expect((1...3).contains(failures.count), "\(failures)")
                let times = try failures.reduce(0) { try $0 + Int($1["times"].number) }
                #expect((max(3, answers[.wrong, default: 0])...100).contains(times), "\(times) of \(answers)")
                for failure in failures {
                    #expect(failure["who"] == "anna")
                    #expect(failure["from"] == .text(Self.source))
                    #expect(failure["result"] == "wrong name or password")
                }
            }
        }
    }
}
