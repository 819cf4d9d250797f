import DeviceModel
import TestSupport
import Testing

@testable import Link
@testable import Router

/// Promise: a router that was away for an hour has all of its devices back within a minute, lets them in no faster than it
/// says, and neither side has grown meanwhile.
@Suite struct FleetTests {
    private static let deviceCount = 1_000
    private static let away: Duration = .seconds(3_600)

    @Test(
        "A thousand devices come back within a minute, never more of them a second than admitted",
        arguments: [1, 2, 3] as [UInt64])
    func comesBack(seed: UInt64) async throws {
        let fleet = Fleet(seed: seed, deviceCount: Self.deviceCount)
        try await fleet.world.run(until: .seconds(120))
        #expect(fleet.connected == Self.deviceCount)
        fleet.stopRouter()
        #expect(fleet.connected == 0)
        try await fleet.world.run(until: .seconds(600))
        // All that there is of a device while it waits: its machine, which is a value of one size, and what is to happen.
        try await fleet.world.run(until: .seconds(120) + Self.away)
        #expect(fleet.world.pending <= 3 * Self.deviceCount)
        #expect(fleet.attempts > 60_000)

        fleet.startRouter()
        let start = fleet.world.time.now
        try await fleet.world.run(until: start + .seconds(60))
        #expect(fleet.connected == Self.deviceCount)
        #expect(fleet.mostInASecond(since: start) <= fleet.rate.burst + fleet.rate.perSecond)
        #expect(fleet.mostIn(.seconds(10), since: start) <= fleet.rate.burst + 10 * fleet.rate.perSecond)
    }
}

/// Many devices that only connect, and a router that only lets them in.
private final class Fleet {
    let world: World
    let rate = RouterSettings.AdmissionRate(perSecond: 50)
    private var admission: Admission
    private var machines: [LinkMachine]
    private var isRouterUp = true
    private var admitted: [Duration] = []
    private(set) var attempts = 0
    private(set) var connected = 0
    private var open: [Bool]

    init(seed: UInt64, deviceCount: Int) {
        world = World(seed: seed)
        admission = Admission(rate)
        machines = Array(repeating: LinkMachine(), count: deviceCount)
        open = Array(repeating: false, count: deviceCount)
        for device in 0..<deviceCount {
            world.after(world.duration(.zero...(.seconds(30)))) { [unowned self] in handle(.start, device) }
        }
    }

    private var now: MonotonicTime { MonotonicTime(nanoseconds: world.time.now.nanoseconds) }

    func stopRouter() {
        isRouterUp = false
        for device in machines.indices where open[device] {
            open[device] = false
            connected -= 1
            handle(.ended(LinkEnd()), device)
        }
    }

    func startRouter() {
        isRouterUp = true
        admitted = []
    }

    /// How many were let in within the busiest second, at most.
    func mostInASecond(since start: Duration) -> Int { mostIn(.seconds(1), since: start) }

    /// How many were let in within the busiest time of a length.
    func mostIn(_ length: Duration, since start: Duration) -> Int {
        var (most, first) = (0, 0)
        for (index, time) in admitted.enumerated() {
            while admitted[first] + length <= time { first += 1 }
            most = max(most, index - first + 1)
        }
        return most
    }

    private func handle(_ event: LinkMachine.Event, _ device: Int) {
        for action in machines[device].handle(event, at: now, using: &world.random) where action == .dial {
            dial(device)
        }
        guard let deadline = machines[device].deadline else { return }
        world.after(deadline - now) { [unowned self] in
            if machines[device].deadline == deadline { handle(.tick, device) }
        }
    }

    private func dial(_ device: Int) {
        attempts += 1
        world.after(world.duration(.milliseconds(10)...(.milliseconds(100)))) { [unowned self] in
            guard isRouterUp else { return handle(.ended(LinkEnd()), device) }
            switch admission.decide(at: now) {
            case .admit:
                admitted.append(world.time.now)
                open[device] = true
                connected += 1
                handle(.opened, device)
            case .later(let wait): handle(.ended(LinkEnd(retryAfter: wait)), device)
            }
        }
    }
}
