import DeviceModel
import HAL
import TestSupport

@testable import DeviceManager

/// A random history of a device's outputs, decided by its seed.
struct OutputsHistory {
    private var world: OutputsWorld
    private var number = 0
    private var leases: [(output: Int, lease: Int)] = []

    /// Lives through a history.
    ///
    /// - Parameters:
    ///   - seed: Decides what happens.
    ///   - length: How many things happen.
    ///   - sabotage: What is broken in the machine.
    ///   - isTold: Whether a difference comes with its whole history.
    /// - Returns: How often a line changed.
    /// - Throws: ``OutputDifference`` with the whole history where the machine does what was not promised.
    @discardableResult
    static func run(
        seed: UInt64, length: Int = 20, sabotage: OutputsWorld.Sabotage = .none, isTold: Bool = true
    ) throws(OutputDifference) -> Int {
        var history = OutputsHistory(world: OutputsWorld(seed: seed, sabotage: sabotage))
        do throws(OutputDifference) {
            try history.live(length)
            return history.world.witness.edges
        } catch {
            guard isTold else { throw error }
            // Once more, this time with every word.
            var told = OutputsHistory(world: OutputsWorld(seed: seed, sabotage: sabotage, isTold: true))
            try? told.live(length)  // safe: the same difference as before
            let story = (["M2M_SEED=\(seed)"] + told.world.terms.map { "\($0)" } + (told.world.story?.lines ?? []))
            throw OutputDifference(description: story.joined(separator: "\n") + "\n" + error.description)
        }
    }

    private init(world: OutputsWorld) {
        self.world = world
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: elements.indices, using: &world.chance)]
    }

    private mutating func live(_ length: Int) throws(OutputDifference) {
        try restart()
        for _ in 0..<length {
            try happen()
            try world.check()
        }
        try world.pass(6_000)
        try world.check()
    }

    private mutating func happen() throws(OutputDifference) {
        switch Int.random(in: 0..<100, using: &world.chance) {
        case 0..<38: try world.feed(.order(call()))
        case 38..<46: try world.feed(.renew(renewal()))
        case 46..<53: try world.feed(.link(isUp: world.model.linkDownSince != nil))
        case 53..<84: try world.pass(pick([0, 10, 50, 50, 100, 100, 200, 500, 1_000, 3_000]))
        case 84..<89: try die()
        case 89: try reboot()
        case 90: try restartKeeper()
        case 91, 92: try lose(pick(Array(world.terms.indices)))
        case 93, 94: try stop()
        default: if world.frozenUntil == nil, !world.latencies.allSatisfy({ $0 == 0 }) { try freeze() }
        }
    }

    // MARK: Somebody commands

    private mutating func call() -> OutputCall {
        number += 1
        let output = pick(Array(world.terms.indices))
        var call = OutputCall(
            number: number, output: output, wish: pick([.on, .on, .on, .off, .off, .toggle]),
            source: pick(OutputCall.Source.allCases), deadline: world.now + pick([0, 50, 500, 1_000, 10_000, 10_000]))
        switch Int.random(in: 0..<8, using: &world.chance) {
        case 0: call.wish = .pulse(pick([50, 100, 500, 1_000]))
        case 1, 2:
            let mine = leases.filter { $0.output == output }.map(\.lease)
            let lease = mine.isEmpty || pick([true, true, false]) ? number : pick(mine)
            call.lease = (lease, pick([50, 100, 500, 1_000, 3_000]), pick([true, false, false]))
            leases.append((output, lease))
        default: break
        }
        return call
    }

    private mutating func renewal() -> OutputRenewal {
        number += 1
        let (output, lease) = leases.isEmpty ? (0, 0) : pick(leases.suffix(4))
        return OutputRenewal(
            number: number, output: output, lease: lease, length: pick([0, 100, 500, 1_000, 3_000]),
            deadline: world.now + pick([0, 500, 10_000]))
    }

    // MARK: Faults

    /// Starts the agent after a while.
    private mutating func restart() throws(OutputDifference) {
        try world.pass(pick([0, 0, 50, 200, 1_000, 3_000]))
        if pick([false, false, false, false, false, false, false, true]) {
            world.journalLength = Int.random(in: 0..<100, using: &world.chance)
        }
        let delays = world.terms.map { _ in pick([0, 0, 0, 50, 500]) }
        world.start(delays)
        try world.pass(0)
    }

    /// Killed, sometimes in the middle of what it does.
    private mutating func die() throws(OutputDifference) {
        if world.frozenUntil == nil, pick([true, false]) {
            world.deathAfter = pick([0, 1, 1, 2, 3])
            try world.feed(.order(call()))
        }
        try world.kill()
        try restart()
    }

    private mutating func reboot() throws(OutputDifference) {
        try world.kill()
        try world.resetLines()
        world.boot += 1
        if pick([true, false]) { world.journal = nil }
        try restart()
    }

    private mutating func restartKeeper() throws(OutputDifference) {
        guard world.keeper != nil else { return }
        try world.resetLines()
        for output in world.terms.indices { try lose(output) }
    }

    private mutating func lose(_ output: Int) throws(OutputDifference) {
        guard world.arrivals[output] == nil else { return }
        try world.lose(output, for: pick([0, 50, 500, 3_000]))
    }

    private mutating func stop() throws(OutputDifference) {
        try world.feed(.stop)
        try world.pass(pick([0, 50, 500]))
        try world.feed(.order(call()))
        try world.pass(pick([0, 500]))
        try world.kill()
        try restart()
    }

    private mutating func freeze() throws(OutputDifference) {
        let isBusy = pick([true, false])
        var call = call()
        if pick([true, false]) { (call.wish, call.lease) = (.on, nil) }
        if isBusy { try world.feed(.order(call)) }
        world.frozenUntil = world.now + pick([100, 1_700, 1_700, 5_000])
        world.tell("agent frozen")
        guard isBusy else { return }
        // No answer: whoever commanded tries it again.
        number += 1
        (call.number, call.deadline) = (number, world.now + 10_000)
        try world.feed(.order(call))
        try world.pass(pick([0, 2_000]))
    }
}
