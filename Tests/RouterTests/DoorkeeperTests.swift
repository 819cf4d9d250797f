import DeviceModel
import Testing

@testable import Router

/// Promise: strangers have room at the door, but never so much that nobody else gets there.
@Suite struct DoorkeeperTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    /// Lets somebody come.
    private func ticket(
        _ keeper: inout Doorkeeper, _ source: String?, at now: MonotonicTime
    ) -> Doorkeeper.Ticket? {
        guard case .admit(let ticket, _) = keeper.arrive(from: source, at: now) else { return nil }
        return ticket
    }

    @Test("One address has a number of places, and gets one back when somebody leaves")
    func ofOne() throws {
        var keeper = Doorkeeper(.init(ofOne: 3))
        let tickets = (0..<3).compactMap { _ in ticket(&keeper, "a", at: start) }
        #expect(tickets.count == 3)
        #expect(keeper.arrive(from: "a", at: start) == .refuse)
        #expect(ticket(&keeper, "b", at: start) != nil)
        keeper.leave(tickets[1])
        keeper.leave(tickets[1])
        #expect(ticket(&keeper, "a", at: start) != nil)
        #expect(keeper.arrive(from: "a", at: start) == .refuse)
        #expect(keeper.count == 4)
    }

    @Test("One address comes at a rate, after a burst, and others don't feel it")
    func rate() throws {
        var keeper = Doorkeeper(.init(ofOne: 100, perSecond: 2, burst: 4))
        for _ in 0..<4 { #expect(ticket(&keeper, "a", at: start) != nil) }
        #expect(keeper.arrive(from: "a", at: start) == .refuse)
        #expect(ticket(&keeper, "b", at: start) != nil)
        // Who is refused does not wait longer for it.
        for _ in 0..<50 { #expect(keeper.arrive(from: "a", at: start + .milliseconds(499)) == .refuse) }
        #expect(ticket(&keeper, "a", at: start + .milliseconds(500)) != nil)
        #expect(keeper.arrive(from: "a", at: start + .milliseconds(500)) == .refuse)
        for _ in 0..<4 { #expect(ticket(&keeper, "a", at: start + .seconds(60)) != nil) }
        #expect(keeper.arrive(from: "a", at: start + .seconds(60)) == .refuse)
    }

    @Test("Where it is too full, whoever has stood there longest goes, and never who comes")
    func full() throws {
        var keeper = Doorkeeper(.init(altogether: 100))
        var tickets: [Doorkeeper.Ticket] = []
        for number in 0..<100 { tickets.append(try #require(ticket(&keeper, "\(number)", at: start))) }
        keeper.leave(tickets[0])
        #expect(ticket(&keeper, "x", at: start) != nil)
        guard case .admit(_, let gone) = keeper.arrive(from: "y", at: start) else {
            Issue.record("nobody was admitted")
            return
        }
        #expect(gone == tickets[1])
        for number in 2..<10_000 {
            guard case .admit(let new, let gone) = keeper.arrive(from: "z\(number)", at: start) else {
                Issue.record("nobody was admitted")
                return
            }
            #expect(gone != nil && gone != new)
        }
        #expect(keeper.count == 100)
    }

    @Test("Where it is too full, whoever comes alone stays, and of those who come in crowds the first goes")
    func crowds() throws {
        var keeper = Doorkeeper(.init(altogether: 100))
        let alone = try #require(ticket(&keeper, "192.0.2.1", at: start))
        let alsoAlone = try #require(ticket(&keeper, "20010db800010001", at: start))
        var crowd: [Doorkeeper.Ticket] = []
        for number in 0..<98 {
            // Twelve addresses, and one customer's many networks.
            let source = number % 2 == 0 ? "198.51.100.\(number / 2 % 12)" : "20010db8ffff\(1_000 + number)"
            crowd.append(try #require(ticket(&keeper, source, at: start)))
        }
        var gone: Set<Doorkeeper.Ticket> = []
        for number in 0..<5_000 {
            let now = start + .milliseconds(number * 50)
            guard case .admit(_, let one) = keeper.arrive(from: "198.51.100.\(number % 12)", at: now) else { continue }
            if let one { gone.insert(one) }
        }
        #expect(gone.contains(crowd[1]))
        #expect(!gone.contains(alone) && !gone.contains(alsoAlone))
    }

    @Test("Addresses are forgotten, so that millions of them don't fill the memory; those that stand there are not")
    func forgets() throws {
        var keeper = Doorkeeper(.init(altogether: 1_000_000, ofOne: 1, perSecond: 1, burst: 1))
        _ = try #require(ticket(&keeper, "stays", at: start))
        for number in 0..<100_000 {
            if let one = ticket(&keeper, "\(number)", at: start + .milliseconds(number)) { keeper.leave(one) }
        }
        #expect(keeper.remembered <= 16_384)
        #expect(keeper.arrive(from: "stays", at: start + .seconds(1_000)) == .refuse)
    }

    @Test("A proxy's address is held to nothing but the room there is")
    func proxy() throws {
        var keeper = Doorkeeper(.init(altogether: 1_000, ofOne: 1, perSecond: 1, burst: 1))
        for _ in 0..<500 { #expect(ticket(&keeper, nil, at: start) != nil) }
    }
}
