import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: the agent hears from the kernel when the network comes back, and does not wait for its turn then.
    ///
    /// The agent has a network of its own, in which nothing is up at first, and never anybody else.
    @Suite(.serialized, .timeLimit(.minutes(2)), .enabled(if: ownNetwork, "nobody here may have a network of its own"))
    struct NetworkTests {
        /// Does something in a program's network.
        private func run(_ command: String..., in program: Program, _ house: Household) async throws {
            let user = geteuid() == 0 ? [] : ["--user", "--preserve-credentials"]
            let entrance = ["--target", "\(program.id)", "--net"] + user
            try house.done(await house.run("/usr/bin/nsenter", entrance + command))
        }

        /// Waits until the agent says why there is no link.
        private func reason(_ text: String, _ house: Household) async throws {
            _ = try await house.m2m("status", "--json") { lines in
                guard case .text(let reason)? = try lines.first.map({ try JSON($0)["link"]["reason"] }) else {
                    return false
                }
                return reason.contains(text)
            }
        }

        @Test("No network, and then one: the agent is told, tries, and says what is wrong now") func comesBack()
            async throws
        {
            try await Household.open { house in
                _ = try await house.moveIn()
                try house.writeDevice([.init("[board]\nkind", "[log]\nlevel = \"debug\"\n\n[board]\nkind")])
                try await house.enroll()
                let agent = try house.start(
                    "/usr/bin/unshare",
                    networkNameSpaces + [Household.programs + "m2m-agent", "run", "--config", house.configuration])
                try await reason("unreachable", house)
                #expect(!agent.errors.all.contains { $0.contains("the network has come back") })
                try await run("ip", "link", "set", "lo", "up", in: agent, house)
                try await agent.errors.next(with: "the network has come back")
                try await reason("refused", house)
            }
        }
    }
}

/// The arguments of unshare(1) that give a program a network of its own.
private let networkNameSpaces = geteuid() == 0 ? ["--net"] : ["--user", "--map-root-user", "--net"]
/// Whether this user may do that here.
private let ownNetwork =
    system("unshare \(networkNameSpaces.joined(separator: " ")) ip link show lo > /dev/null 2>&1") == 0
