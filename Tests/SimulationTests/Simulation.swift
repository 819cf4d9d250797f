import DeviceModel
import TestSupport

/// A device and a router in a world in which things go wrong, until all is well again and everything is counted.
struct Simulation {
    /// For how long things go wrong.
    static let trouble: Duration = .seconds(480)
    /// For how long all is well then.
    static let quiet: Duration = .seconds(420)

    /// What came of it.
    struct Outcome {
        var verdict: Verdict
        var trace: Trace
        var faults: [String: Int]
        var violations: [String]
    }

    private let world: World
    private let router: SimulatedRouter
    private let device: SimulatedDevice
    private let history = CommittedHistory()
    private let images = Images()

    private init(seed: UInt64, isVerbose: Bool) {
        world = World(seed: seed, isVerbose: isVerbose)
        router = SimulatedRouter(world)
        device = SimulatedDevice(world, router, history)
    }

    /// Runs the world of a seed.
    static func run(seed: UInt64, isVerbose: Bool = false) async throws -> Outcome {
        let simulation = Simulation(seed: seed, isVerbose: isVerbose)
        defer { simulation.end() }
        return try await simulation.run()
    }

    /// Gives back the memory of all that refers to one another.
    private func end() {
        world.end()
        device.end()
        router.end()
    }

    private func run() async throws -> Outcome {
        try await router.start()
        try await device.boot()
        for _ in 0..<Int.random(in: 3...12, using: &world.random) {
            let fault = Fault.allCases.randomElement(using: &world.random) ?? .cut
            world.after(world.duration(.zero...Self.trouble)) { [self] in try await happen(fault) }
        }
        try await world.run(until: Self.trouble)
        world.note("from now on all is well")
        device.disk.repair()
        router.disk.repair()
        device.network = NetworkFaults()
        images.isOver = true
        try await device.networkCameBack()
        if !router.isUp { try await router.start() }
        if !device.isRunning { try await device.boot() }
        device.link?.cut()
        world.after(Self.quiet / 2) { [device] in device.isStill = true }
        try await world.run(until: Self.trouble + Self.quiet)
        let (rows, gaps) = try await router.everything()
        for gap in gaps {
            world.note(
                "gap: \(gap.stream) \(gap.epoch) \(gap.first)-\(gap.last) \(gap.count.map { "\($0)" } ?? "?") "
                    + "\(gap.reason.rawValue) \(gap.since?.rfc3339 ?? "") \(gap.until?.rfc3339 ?? "")")
        }
        let verdict = Verdict(history, rows, gaps)
        var violations = verdict.violations
        if !router.isUp { violations.append("the router does not run") }
        if !device.isRunning { violations.append("the device does not run") }
        return Outcome(verdict: verdict, trace: world.trace, faults: images.faults, violations: violations)
    }

    // MARK: What goes wrong

    private func happen(_ fault: Fault) async throws {
        images.faults["\(fault)", default: 0] += 1
        world.note("fault: \(fault)")
        switch fault {
        case .cut: device.link?.cut()
        case .silence: device.link?.fallSilent()
        case .noNetwork: noNetwork()
        case .badNetwork:
            device.network = NetworkFaults(
                delay: .milliseconds(5)...(.seconds(2)), loss: world.chance(0.5) ? 0.05 : 0,
                duplication: world.chance(0.5) ? 0.1 : 0)
            device.link?.cut()
            later { [self] in device.network = NetworkFaults() }
        case .killDevice, .cutDevicePower: try await stopDevice(powerCut: fault == .cutDevicePower)
        case .killRouter, .cutRouterPower: stopRouter(powerCut: fault == .cutRouterPower)
        case .restoreDevice: restoreDevice()
        case .restoreRouter: restoreRouter()
        case .deviceWriteFails: device.disk.fail(at: UInt64.random(in: 1...40, using: &world.random), forEver: false)
        case .routerWriteFails: router.disk.fail(at: UInt64.random(in: 1...40, using: &world.random), forEver: false)
        case .deviceDiskDies:
            let n = UInt64.random(in: 1...12, using: &world.random)
            forAWhile(device.disk) { $0.fail(at: n, forEver: true) }
        case .deviceDiskFull: forAWhile(device.disk) { $0.limit(to: 0) }
        case .deviceDiskReadOnly: forAWhile(device.disk) { $0.setReadOnly() }
        case .routerDiskFull: forAWhile(router.disk) { $0.limit(to: 0) }
        case .clockJumps:
            let years = [-10, 10].randomElement(using: &world.random) ?? 10
            let clock = device.clock
            clock.set(error: .seconds(years * 31_557_600), isSynchronised: false)
            later { clock.set(error: .zero, isSynchronised: true) }
        }
    }

    /// Something, after a while that chance decides.
    private func later(_ happening: @escaping World.Happening) {
        world.after(world.duration(.seconds(1)...(.seconds(240))), happening)
    }

    private func forAWhile(_ disk: SimulatedDisk, _ fault: (SimulatedDisk) -> Void) {
        fault(disk)
        later { disk.repair() }
    }

    private func noNetwork() {
        device.isNetworkThere = false
        if world.chance(0.5) { device.link?.cut() } else { device.link?.fallSilent() }
        later { [device] in try await device.networkCameBack() }
    }

    private func stopDevice(powerCut: Bool) async throws {
        guard device.isRunning else { return }
        device.stop(powerCut: powerCut)
        if powerCut {
            later { [device] in if !device.isRunning { try await device.boot() } }
        } else {
            world.after(.seconds(1)) { [device] in try await device.start() }
        }
    }

    private func stopRouter(powerCut: Bool) {
        guard router.isUp else { return }
        router.stop(powerCut: powerCut)
        later { [router] in try await router.start() }
    }

    /// A copy is put back; once, because a copy of a copy may have observations that were sent under other numbers since.
    private func restoreDevice() {
        guard history.restores.isEmpty else { return }
        let image = device.disk.copy()
        let step = history.step
        later { [self] in
            guard !images.isOver, history.restores.isEmpty else { return }
            world.note("fault: the device's disk is restored")
            device.stop(powerCut: true)
            device.disk.restore(image)
            history.restored(to: step)
            try await device.boot()
        }
    }

    private func restoreRouter() {
        let image = router.disk.copy()
        later { [self] in
            guard !images.isOver else { return }
            world.note("fault: the router's disk is restored")
            router.stop(powerCut: true)
            router.disk.restore(image)
            history.routerWasRestored = true
            try await router.start()
        }
    }
}

/// What can go wrong.
enum Fault: CaseIterable {
    case cut, silence, noNetwork, badNetwork
    case killDevice, cutDevicePower, restoreDevice
    case deviceWriteFails, deviceDiskDies, deviceDiskFull, deviceDiskReadOnly
    case killRouter, cutRouterPower, restoreRouter, routerWriteFails, routerDiskFull
    case clockJumps
}

/// What a simulation keeps account of while it runs.
private final class Images {
    var faults: [String: Int] = [:]
    /// Whether nothing may go wrong any more.
    var isOver = false
}
