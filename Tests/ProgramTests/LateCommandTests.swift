import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: what is read too late is not done, however long whoever reads it was stopped, and whether or not the
    /// person who commanded it is still there; nor what comes too late, whatever the wall clocks say on its way.
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

        private static let tenYears = 10 * 365 * 86_400.0

        @Test(
            "The device's wall clock goes ten years off under a link: a command that comes late is expired all the same",
            arguments: [tenYears, -tenYears])
        func tenYearsApart(_ seconds: Double) async throws {
            try await Household.open { house in
                let router = try await house.moveIn()
                let port = try #require(house.url.split(separator: ":").last.flatMap { Int($0) })
                try await StallingProxy.run(toPort: port) { proxy in
                    let (agent, _) = try await linked(house, proxy)
                    let before = try house.edges()
                    try house.folder.write("wall-shift", "\(Int(seconds))\n")
                    proxy.down.shut()
                    let call = try await house.m2m("call", "greenhouse/heater", "on", "--expires", "3s", "--json")
                    #expect(try call.json.first?["status"] == "unknown", "\(call)")
                    proxy.down.open()
                    let late = try await result(house)
                    #expect(late["status"] == "expired", "\(late)")
                    #expect(try abs(Self.date(late["time"]).timeIntervalSinceNow - seconds) < 3_600)
                    #expect(try house.edges() == before)

                    try house.done(await house.m2m("call", "greenhouse/heater", "on"))
                    #expect(try house.edges() == before + ["level 0"])
                    #expect(try await result(house, after: late)["status"] == "done")

                    // A new link, on the other hand, is for a clock that knows the year.
                    router.signal(SIGKILL)
                    try await agent.errors.next(with: "no link to the router")
                    try await router.end()
                    try await house.startRouter()
                    _ = try await house.m2m("status") { $0.contains { $0.contains("is this machine's clock right?") } }
                    try house.folder.write("wall-shift", "0\n")
                    try await agent.errors.next(with: "the link to the router is back")
                    #expect(try house.edges() == before + ["level 0"])
                }
            }
        }

        /// A device behind the proxy, with a keeper, and with a wall clock that is ahead by what `wall-shift` says.
        private func linked(
            _ house: Household, _ proxy: StallingProxy
        ) async throws -> (agent: Program, keeper: Program) {
            let edits: [GreenhouseFile.Edit] = [
                .holds, .init("wss://127.0.0.1:8443", "\(proxy.address)"), .init("after = \"30s\"", "after = \"10m\""),
            ]
            try house.writeDevice([.keeper] + edits)
            try await house.enroll()
            let programs = try await house.keep(edits, isLinked: true, variables: house.shiftedWallClock())
            try await programs.agent.errors.hold("connected to the router")
            _ = try await house.m2m("devices", "--json") { try $0.contains { try JSON($0)["state"] == "online" } }
            return programs
        }

        /// The result of a command `on`, and of another one than this, as soon as the router's history knows it.
        private func result(_ house: Household, after other: JSON = .null) async throws -> JSON {
            let isResult = { (line: JSON) in line["action"] == "on" && line["id"] != other["id"] }
            let history = try await house.m2m("history", "greenhouse/heater", "--json") { lines in
                try lines.contains { try isResult(JSON($0)) }
            }
            return try history.json.first(where: isResult) ?? .null
        }

        private static func date(_ time: JSON) throws -> Date {
            try Date("\(time.text.prefix(19))Z", strategy: .iso8601)
        }
    }
}
