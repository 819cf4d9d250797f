import Glibc
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: what is held through the router is anna's, by name; and without the router, what came from there is safe
    /// after the time that was configured, while what was commanded on the device stays.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct LeaseLinkTests {
        @Test("Through the router a refusal names the account, and how long it holds the output")
        func refused() async throws {
            try await Household.open { house in
                _ = try await house.settle()
                try house.done(await house.m2m("call", "greenhouse/heater", "on", "--lease", "10m"))
                for place in ["greenhouse/heater", "heater"] {
                    let refused = try await house.m2m("call", place, "on", "--json")
                    #expect(refused.status == 1)
                    let result = try #require(refused.json.first)
                    #expect(result["status"] == "refused")
                    let words = /held: heater is held on by anna through the router for another [0-9.]+ ?m?s?.*/
                    #expect(try result["reason"].text.wholeMatch(of: words) != nil, "\(result)")
                }
                try house.done(await house.m2m("call", "heater", "off"))
                #expect(try await house.value("heater.on") == false)
            }
        }

        @Test("Without the router, what it commanded is safe after `after`; what was commanded on the device stays")
        func linkLost() async throws {
            try await Household.open { house in
                let relay = "line = \"GPIO6\"\nsafe = \"off\"\non_link_lost = { after = \"1s\", do = \"safe\" }"
                let edits: [GreenhouseFile.Edit] = [
                    .init("after = \"30s\"", "after = \"1s\""),
                    .component("[components.pump]\nmodel = \"relay\"\n\(relay)"),
                ]
                let (router, agent) = try await house.settle(edits)
                try house.done(await house.m2m("call", "greenhouse/heater", "on", "--lease", "10m"))
                try house.done(await house.m2m("call", "pump", "on"))
                router.signal(SIGKILL)
                try await router.end()
                try await agent.errors.next(with: "no link to the router")
                try await house.settleHeater(isOn: false)
                let reason = try await house.value("heater.reason").text
                #expect(reason.wholeMatch(of: /on_link_lost: no link to the router for 1 ?s/) != nil, "\(reason)")
                #expect(try await house.value("heater.holder") == "")
                #expect(try await house.value("pump.on") == true)
                // It is nobody's any more: who is there may have it, and keeps it without a router.
                try house.done(await house.m2m("call", "heater", "on"))
                try await house.startRouter()
                try await agent.errors.next(with: "the link to the router is back")
                #expect(try await house.value("heater.on") == true)
                #expect(try await house.value("pump.on") == true)
            }
        }

        @Test("Without the router a lease from there ends in time all the same, and is told of when it is back")
        func leaseEndsAlone() async throws {
            try await Household.open { house in
                let (router, agent) = try await house.settle()
                try house.done(await house.m2m("call", "greenhouse/heater", "on", "--lease", "2s"))
                router.signal(SIGKILL)
                try await agent.errors.next(with: "no link to the router")
                try await house.settleHeater(isOn: false)
                #expect(try await house.value("heater.reason") == "the lease of anna through the router has ended")
                try await router.end()
                try await house.startRouter()
                let far = try await house.m2m("read", "greenhouse/heater.lease_ends", "--json") { lines in
                    try lines.first.map { try JSON($0)["value"] == 1 } ?? false
                }
                #expect(try far.json.count == 1)
            }
        }
    }
}
