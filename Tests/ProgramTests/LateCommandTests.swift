import Glibc
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: what is read too late is not done, however long whoever reads it was stopped, and whether or not the
    /// person who commanded it is still there.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct LateCommandTests {
        @Test("A command that a stopped agent reads after its time is not done; the person is told that nobody knows")
        func stoppedAgent() async throws {
            try await Household.open { house in
                let (agent, _) = try await house.keep()
                let before = try house.edges()
                agent.signal(SIGSTOP)
                let call = try await house.m2m("call", "heater", "on", "--expires", "500ms", "--json")
                #expect(call.status == 1)
                #expect(try call.json.first?["status"] == "unknown")
                #expect(call.errors.joined().contains("it may have been done"), "\(call)")
                agent.signal(SIGCONT)
                try await house.settleHeater(isOn: false)
                let history = try await house.m2m("history", "heater", "--json") { lines in
                    try lines.contains { try JSON($0)["action"] == "on" }
                }
                #expect(try history.json.filter { $0["action"] == "on" }.map { $0["status"] } == ["expired"])
                #expect(try house.edges() == before)
            }
        }
    }
}
