import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: a device is let in by a claim code or by its owner's acceptance, and by nothing else; who is not let in is
    /// told why.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct EnrolmentTests {
        private func enroll(_ house: Household, _ arguments: String...) async throws -> Outcome {
            try await house.run("m2m-agent", ["enroll", "--config", house.configuration] + arguments)
        }

        @Test("A claim code lets the device in once; the second time it says that it is used") func claim() async throws
        {
            try await Household.open { house in
                try await house.moveIn()
                try house.writeDevice()
                let code = try await house.claim()
                let first = try house.done(await enroll(house, "--claim", code))
                #expect(first.output == ["greenhouse belongs to anna now; `m2m-agent run` connects it"])
                let second = try await enroll(house, "--claim", code)
                #expect(second.status == 4)
                #expect(
                    second.errors == [
                        "m2m-agent: the router says: this claim code has been used already; "
                            + "`m2m claim greenhouse` makes a new one"
                    ])
            }
        }

        @Test("A claim code in small letters, or without its hyphens, is the same code") func claimAsTyped()
            async throws
        {
            try await Household.open { house in
                try await house.moveIn()
                try house.writeDevice()
                let code = try await house.claim()
                let typed = code.lowercased().filter { $0 != "-" }
                try house.done(await enroll(house, "--claim", typed))
            }
        }

        @Test(
            "A router that is begun anew knows no device: it says so, and the device is back as soon as it is enrolled")
        func forgotten() async throws {
            try await Household.open { house in
                let (router, agent) = try await house.settle()
                router.signal(9)
                try await router.end()
                for suffix in ["", "-wal", "-shm"] { unlink("\(house.routerData)/router.db\(suffix)") }
                try await house.startRouter()
                try await agent.errors.next(with: "the router says: ")

                try await house.addUser()
                try house.done(await house.login())
                try await house.enroll()
                try await agent.errors.next(with: "connected to the router")
                agent.signal(15)
                #expect(try await agent.end() == .exited(0))
            }
        }

        @Test("A mistyped claim code is noticed before anybody is asked") func mistyped() async throws {
            try await Household.open { house in
                let router = try await house.moveIn()
                try house.writeDevice()
                let code = try await house.claim()
                router.signal(9)
                try await router.end()
                let other: Character = code.first == "X" ? "Y" : "X"
                for wrong in ["\(other)\(code.dropFirst())", "nonsense"] {
                    let outcome = try await enroll(house, "--claim", wrong)
                    #expect(outcome.status == 1)
                    #expect(
                        outcome.errors == [
                            "m2m-agent: '\(wrong)' is no claim code: it has seven groups of five, "
                                + "and one of them is mistyped"
                        ])
                }
            }
        }

        @Test("A claim code for another name says for which, and is not used up by that") func otherName() async throws
        {
            try await Household.open { house in
                try await house.moveIn()
                try house.writeDevice()
                let code = try await house.claim("cottage")
                let wrong = try await enroll(house, "--claim", code)
                #expect(wrong.status == 4)
                #expect(
                    wrong.errors == [
                        "m2m-agent: the router says: this claim code was made for 'cottage', not for 'greenhouse'; "
                            + "`m2m claim greenhouse` makes a new one"
                    ])
                try house.writeDevice([.init("id = \"greenhouse\"", "id = \"cottage\"")])
                try house.done(await enroll(house, "--claim", code))
            }
        }

        @Test("A code of another router is not for this one: nothing is trusted") func otherRouter() async throws {
            try await Household.open { house in
                try await house.moveIn()
                let code = try await house.claim()
                try await Household.open { other in
                    try await other.addUser()
                    try await other.startRouter()
                    try other.writeDevice()
                    let outcome = try await enroll(other, "--claim", code)
                    #expect(outcome.status == 1)
                    #expect(
                        outcome.errors.joined().contains("\(other.url) is not the router that gave this claim code"),
                        "\(outcome)")
                }
            }
        }

        @Test("Without a code the device shows its fingerprint and waits; its owner compares it, and lets it in")
        func acceptance() async throws {
            try await Household.open { house in
                try await house.moveIn()
                try house.writeDevice([.init("[local]", "ca_file = \"\(house.ca)\"\n\n[local]")])
                let device = try house.start(
                    "m2m-agent", ["enroll", "--config", house.configuration, "--account", Household.user])
                try await device.output.next(with: "This device's fingerprint is")
                let fingerprint = try await device.output.next(with: " ").trimmingPrefix { $0 == " " }
                try await device.output.next(with: "m2m accept greenhouse")

                let wrong = try await house.m2m("accept", "greenhouse", "--fingerprint", "0000 0000")
                #expect(wrong.status == 1)
                #expect(wrong.errors == ["m2m: no device with this fingerprint waits as 'greenhouse'"])
                let no = try await house.m2m("accept", "greenhouse", input: ["n"])
                #expect(no.status == 1)
                #expect(no.errors.contains { $0.contains(fingerprint) })
                #expect(no.errors.contains { $0.hasSuffix("nobody was let in") })
                #expect(device.output.all.count == 4)

                let yes = try house.done(await house.m2m("accept", "greenhouse", input: ["y"]))
                #expect(yes.errors.contains { $0.contains(fingerprint) })
                #expect(yes.output == ["greenhouse is yours; it connects by itself"])
                #expect(try await device.end() == .exited(0))
                #expect(device.output.all.last == "greenhouse belongs to anna now; `m2m-agent run` connects it")

                let agent = try await house.startAgent()
                try await agent.errors.next(with: "connected to the router")
            }
        }

        @Test("With the fingerprint on the command line nobody is asked") func acceptanceByFingerprint() async throws {
            try await Household.open { house in
                try await house.moveIn()
                try house.writeDevice([.init("[local]", "ca_file = \"\(house.ca)\"\naccount = \"anna\"\n\n[local]")])
                let device = try house.start(
                    "m2m-agent", ["enroll", "--config", house.configuration, "--account=anna"])
                try await device.output.next(with: "This device's fingerprint is")
                let fingerprint = try await device.output.next(with: " ").trimmingPrefix { $0 == " " }
                try house.done(await house.m2m("accept", "greenhouse", "--fingerprint", String(fingerprint)))
                #expect(try await device.end() == .exited(0))
            }
        }

        @Test("Nothing waits: `m2m accept` says so, and what to run on the device") func nobodyWaits() async throws {
            try await Household.open { house in
                try await house.moveIn()
                for input in [[], ["y"]] {
                    let outcome = try await house.m2m("accept", "greenhouse", input: input)
                    #expect(outcome.status == 1)
                    #expect(
                        outcome.errors == ["m2m: no device waits as 'greenhouse'; run `m2m-agent enroll` on it"])
                }
            }
        }

        @Test("Neither code nor account: the agent says where to get one, and asks nobody who is not there")
        func noWay() async throws {
            try await Household.open { house in
                try await house.moveIn()
                try house.writeDevice()
                let outcome = try await enroll(house)
                #expect(outcome.status == 1)
                #expect(
                    outcome.errors == [
                        "m2m-agent: give the code that `m2m claim greenhouse` shows with --claim CODE, "
                            + "or the account with --account NAME"
                    ])
                try house.writeDevice([.init("[router]\nurl = \"wss://127.0.0.1:8443\"\n", "")])
                let noRouter = try await enroll(house, "--account", "anna")
                #expect(noRouter.status == 1)
                #expect(noRouter.errors.joined().contains("has no [router]"))
            }
        }

        @Test("An agent that runs before it is enrolled says what to do, and connects once it is")
        func enrolledLater() async throws {
            try await Household.open { house in
                try await house.moveIn()
                try house.writeDevice()
                let agent = try await house.startAgent()
                try await agent.errors.next(with: "this device is not enrolled yet; run `m2m-agent enroll`")
                try await house.enroll()
                try await agent.errors.next(with: "connected to the router")
            }
        }
    }
}
