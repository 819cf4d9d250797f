import Client
import DeviceModel
import TestSupport
import Testing
import Wire

/// The whole path in one process: what a device senses reaches a person, and what a person wants reaches the device.
@Suite(.timeLimit(.minutes(2))) struct EndToEndTests {
    @Test("readings, a press and a command go the whole way, over TLS")
    func wholePath() async throws {
        let house = try WholeHouse()
        try await house.withRouter { address in
            let session = try await house.logIn(address)
            try await house.enrol(address, session)
            try await house.withAgent {
                try await Self.untilOnline(house, session)
                try await Self.switches(house, session)
                try await Self.presses(house, session)
            }
        }
    }

    @Test("what was observed while the router was away is in its history, once and in order")
    func routerAway() async throws {
        let house = try WholeHouse()
        let (address, session) = try await house.withRouter { address in
            let session = try await house.logIn(address)
            try await house.enrol(address, session)
            return (address, session)
        }
        try await house.withAgent {
            let (before, missed) = try await house.withRouter(port: address.port) { _ in
                try await Self.untilOnline(house, session)
                let before = try await Self.numbers(house, session, atLeast: 1)
                return (before, before.count)
            }
            try await Self.drive(house, isActive: true)
            try await house.withRouter(port: address.port) { _ in
                try await Self.untilOnline(house, session)
                let after = try await Self.numbers(house, session, atLeast: missed + 2)
                #expect(Array(after.prefix(before.count)) == before)
                #expect(Set(after).count == after.count)
                #expect(after == after.sorted())
            }
        }
    }

    // MARK: What is done in the house

    private static func untilOnline(_ house: WholeHouse, _ session: StoredSession) async throws {
        var person = try await house.person(session)
        do {
            try await person.ask(.watch(Address(device: "greenhouse"))) { items in
                for case .device(let device) in items where device.isOnline { throw Seen() }
            }
        } catch is Seen {}
        await person.close()
    }

    private static func switches(_ house: WholeHouse, _ session: StoredSession) async throws {
        var person = try await house.person(session)
        let heater = Address(device: "greenhouse", component: "heater")
        let answer = try await person.ask(.call(CallRequest(id: "first", address: heater, action: "on")))
        guard case .observation(let report)? = answer.first, case .result(let result) = report.content else {
            throw HarnessError(description: "no result: \(answer)")
        }
        #expect(result.status == .done)
        await person.close()

        var here = try await ClientConnection.local(house.socket)
        guard case .inventory(let inventory)? = try await here.ask(.probe).first else {
            throw HarnessError(description: "no inventory")
        }
        let line = try #require(inventory.chips.first?.lines.first { $0.name == "GPIO5" })
        #expect(line.consumer == "m2m heater")
        #expect(line.isActive == true)
        await here.close()
    }

    private static func presses(_ house: WholeHouse, _ session: StoredSession) async throws {
        let watching = Mailbox<Void>(bound: 1, policy: .dropOldest)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                _ = await watching.next()
                try await drive(house, isActive: true)
            }
            var person = try await house.person(session)
            do {
                try await person.ask(.watch(Address(device: "greenhouse"))) { items in
                    watching.send(())
                    for case .observation(let report) in items {
                        if case .event(let event) = report.content, event.name == "pressed" { throw Seen() }
                    }
                }
            } catch is Seen {}
            await person.close()
            try await group.waitForAll()
        }
        try await drive(house, isActive: false)
    }

    /// Presses the switch, or lets it go.
    private static func drive(_ house: WholeHouse, isActive: Bool) async throws {
        var here = try await ClientConnection.local(house.socket)
        _ = try await here.ask(.drive(line: "GPIO17", isActive: isActive))
        await here.close()
    }

    /// The numbers of the temperatures in the router's history, as soon as there are so many.
    private static func numbers(
        _ house: WholeHouse, _ session: StoredSession, atLeast count: Int
    ) async throws -> [UInt64] {
        let climate = Address(device: "greenhouse", component: "climate", property: "temperature")
        var person = try await house.person(session)
        var numbers: [UInt64] = []
        while numbers.count < count {
            numbers = try await person.ask(.history(HistoryQuery(climate))).compactMap { item in
                if case .observation(let report) = item { report.position?.sequence } else { nil }
            }
        }
        await person.close()
        return numbers
    }
}

/// What was waited for was seen.
private struct Seen: Error {}
