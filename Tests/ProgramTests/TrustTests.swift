import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: who can't be trusted gets nothing, and whoever tried is told why and what to do.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct TrustTests {
        private static let advice = "; give the router's own CA (its tls/ca.pem) as ca_file or --ca"
        private static let nobody = "its certificate is signed by nobody who is trusted here\(advice)"
        private static let otherCA =
            "its certificate is signed by another CA than the one that is trusted here\(advice)"

        /// The CA of another router.
        private func otherCA(_ house: Household) async throws -> String {
            let folder = house.folder.file("other")
            let other = try house.start("m2m-router", ["serve", "--data", folder, "--listen", "127.0.0.1:0"])
            try await other.output.next(with: "its CA is")
            other.signal(9)
            try await other.end()
            return "\(folder)/tls/ca.pem"
        }

        @Test("An agent that trusts another CA runs on, says the reason once, counts on, and sends nothing")
        func agent() async throws {
            try await Household.open { house in
                try await house.moveIn()
                try house.writeDevice()
                try await house.enroll()
                let ca = try await otherCA(house)
                try house.writeDevice([.init("[local]", "ca_file = \"\(ca)\"\n\n[local]")])
                let agent = try await house.startAgent()
                let line = try await agent.errors.next(with: "no link to the router")
                #expect(line.contains("warning"))
                #expect(line.contains("\(house.url) cannot be trusted: \(Self.otherCA)"))

                let status = try await house.m2m("status", "--json") { lines in
                    try lines.contains { try JSON($0)["link"]["failed_attempts"].number >= 3 }
                }
                let link = try #require(try status.json.first)["link"]
                #expect(link["state"] == "reconnecting")
                #expect(try link["reason"].text.contains(Self.otherCA))
                #expect(agent.errors.all.filter { $0.contains("no link to the router") }.count == 1)

                // Nothing arrived there, and everything goes on here.
                let devices = try house.done(await house.m2m("devices", "--json"))
                #expect(try devices.json.map { $0["last_seen"] } == [.null])
                #expect(try await house.m2m("read", "greenhouse/", "--json").output.isEmpty)
                try house.done(await house.m2m("call", "heater", "on"))
                agent.signal(15)
                #expect(try await agent.end() == .exited(0))
            }
        }

        @Test("A login without the router's CA, or with another one, sends no password and says what to do")
        func login() async throws {
            try await Household.open { house in
                try await house.addUser()
                try await house.startRouter()
                let ca = try await otherCA(house)
                for (arguments, words) in [([], Self.nobody), (["--ca", ca], Self.otherCA)] {
                    let login = try await house.login(arguments)
                    #expect(login.status == 1)
                    #expect(login.output.isEmpty)
                    #expect(login.errors == ["m2m: \(house.url) cannot be trusted: \(words)"])
                }
                #expect(try await house.login().status == 0)
            }
        }

        @Test("A CA that is not there, or is none, is named") func badCA() async throws {
            try await Household.open { house in
                try await house.addUser()
                try await house.startRouter()
                let missing = house.folder.file("nowhere.pem")
                let login = try await house.login(["--ca", missing])
                #expect(login.status == 1)
                #expect(login.errors == ["m2m: \(missing) does not exist; it should hold the router's CA"])
                let rubbish = try await house.login(["--ca", house.folder.write("rubbish.pem", "rubbish")])
                #expect(rubbish.status == 1)
                #expect(rubbish.errors.joined().contains("rubbish.pem holds no certificate"))
                #expect(!FileManager.default.fileExists(atPath: house.session))
            }
        }
    }
}
