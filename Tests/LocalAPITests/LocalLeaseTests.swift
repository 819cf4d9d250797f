import DeviceModel
import Glibc
import TestSupport
import Testing
import Wire

@testable import LocalAPI

/// A lease that somebody on the device makes is theirs: it goes on when they say so, ends when they say so, and whoever
/// does not know it is refused with words.
@Suite(.timeLimit(.minutes(1))) struct LocalLeaseTests {
    private let agent: LocalAgent

    init() throws {
        agent = try LocalAgent(TemporaryDirectory())
    }

    private func call(_ id: CommandID, _ action: String = "on", _ lease: Lease?) -> Request {
        .call(CallRequest(id: id, address: Address(component: "heater"), action: action, lease: lease))
    }

    private func renewal(
        _ lease: LeaseID = "l1", _ duration: Duration = .seconds(3_600), of component: ComponentID = "heater",
        on device: DeviceID? = nil, expiry: Duration = .seconds(60)
    ) -> Request {
        .renew(
            LeaseRenewalRequest(
                address: Address(device: device, component: component), lease: lease, duration: duration,
                expiry: expiry))
    }

    private func result(_ items: [Item]) throws -> CommandResult {
        guard case .observation(let report)? = items.first, case .result(let result) = report.content, items.count == 1
        else { throw HarnessError(description: "no result: \(items)") }
        return result
    }

    @Test("Who made a lease renews it and ends it, and with it the output is safe") func lease() async throws {
        let agent = agent
        try await agent.run { () async throws in
            let lease = Lease(id: "l1", duration: .seconds(3_600), isRenewed: true)
            #expect(try result(try await agent.ask(call("1", "on", lease))).status == .done)
            #expect(try agent.isHeating)
            for _ in 0..<3 { #expect(try await agent.ask(renewal()) == []) }
            #expect(try await agent.ask(renewal(on: "greenhouse")) == [])
            #expect(try agent.isHeating)
            #expect(try await agent.ask(renewal("l1", .zero)) == [])
            #expect(try !agent.isHeating)
            #expect(await agent.refusal(renewal())?.code == .conflict)
            #expect(try !agent.isHeating)
        }
    }

    @Test("While it lasts others are told who holds it, by name") func holder() async throws {
        let agent = agent
        try await agent.run { () async throws in
            let lease = Lease(id: "l1", duration: .seconds(3_600))
            #expect(try result(try await agent.ask(call("1", "on", lease))).status == .done)
            let other = Lease(id: "l2", duration: .seconds(3_600))
            let refused = try result(try await agent.ask(call("2", "on", other)))
            #expect(refused.status == .refused)
            #expect(refused.reason?.contains("\(LocalAccess.name(of: getuid())) on the device") == true)
            // Safe is always possible, and ends the lease.
            #expect(try result(try await agent.ask(call("3", "off", nil))).status == .done)
            #expect(await agent.refusal(renewal())?.code == .conflict)
        }
    }

    @Test("Who does not know the lease cannot renew it, and nothing but its own device is asked") func strangers()
        async throws
    {
        let agent = agent
        try await agent.run { () async throws in
            let lease = Lease(id: "l1", duration: .seconds(3_600))
            #expect(try result(try await agent.ask(call("1", "on", lease))).status == .done)
            for duration in [Duration.seconds(10), .zero] {
                #expect(await agent.refusal(renewal("guess", duration))?.code == .conflict)
                #expect(await agent.refusal(renewal("l1", duration, on: "shed"))?.code == .notFound)
                #expect(await agent.refusal(renewal("l1", duration, of: "switch"))?.code == .conflict)
                #expect(await agent.refusal(renewal("l1", duration, expiry: .zero))?.code == .expired)
            }
            let noOutput = await agent.refusal(renewal("l1", .zero, of: "switch"))
            #expect(noOutput?.message.contains("switch has no output that could be held") == true)
            #expect(await agent.refusal(renewal("guess"))?.message.contains("not held any more") == true)
            let nobody = LeaseRenewalRequest(address: Address(), lease: "l1", duration: .zero)
            #expect(await agent.refusal(.renew(nobody))?.code == .badRequest)
            #expect(try agent.isHeating)
        }
    }
}
