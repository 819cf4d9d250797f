public import DeviceModel
public import HAL
import Synchronization

/// A simulated I²C bus with chips on it, and faults on demand.
public final class SimulatedBus: I2CBus {
    /// Its number.
    public let number: Int

    private struct State {
        var chips: [UInt8: any SimulatedChip] = [:]
        var unplugged: Set<UInt8> = []
        var heldByDriver: Set<UInt8> = []
        var failures: [HALError.Kind] = []
        var transfers = 0
    }

    private let time: any TimeSource
    private let state = Mutex(State())

    init(number: Int, time: any TimeSource) {
        self.number = number
        self.time = time
    }

    /// One transaction with a chip.
    public func transfer(
        _ address: I2CAddress, write: [UInt8], readCount: Int
    ) async throws(HALError) -> [UInt8] {
        let resource = "\(address) on I²C bus \(number)"
        return try state.withLock { (state) throws(HALError) in
            state.transfers += 1
            if !state.failures.isEmpty { throw HALError(state.failures.removeFirst(), resource) }
            if state.heldByDriver.contains(address.rawValue) {
                throw HALError(.busy, resource, errno: 16, advice: "a kernel driver holds it")  // EBUSY
            }
            guard !state.unplugged.contains(address.rawValue), var chip = state.chips[address.rawValue] else {
                throw HALError(.noAcknowledge, resource, errno: 121)  // EREMOTEIO, as on a Raspberry Pi
            }
            defer { state.chips[address.rawValue] = chip }
            return chip.transfer(write: write, readCount: readCount, at: time.now)
        }
    }

    // MARK: The outside

    /// Puts a chip on the bus.
    public func plug(_ chip: any SimulatedChip, at address: I2CAddress) {
        state.withLock { state in
            state.chips[address.rawValue] = chip
            state.unplugged.remove(address.rawValue)
        }
    }

    /// Takes a chip off the bus; it keeps its registers.
    public func unplug(_ address: I2CAddress) {
        state.withLock { _ = $0.unplugged.insert(address.rawValue) }
    }

    /// Puts a chip back that was unplugged: it wakes up with the registers of its reset.
    public func replug(_ address: I2CAddress) {
        state.withLock { state in
            state.unplugged.remove(address.rawValue)
            state.chips[address.rawValue]?.reset(at: time.now)
        }
    }

    /// Interrupts a chip's supply for a moment, so that it forgets its configuration without a word.
    public func brownOut(_ address: I2CAddress) {
        state.withLock { $0.chips[address.rawValue]?.reset(at: time.now) }
    }

    /// Lets the next transfers fail.
    ///
    /// - Parameters:
    ///   - count: How many.
    ///   - kind: How: `timedOut` for a stuck bus, `noAcknowledge` for a loose contact.
    public func fail(next count: Int, as kind: HALError.Kind) {
        state.withLock { $0.failures += Array(repeating: kind, count: count) }
    }

    /// Ends failures that have not happened yet.
    public func heal() {
        state.withLock { $0.failures = [] }
    }

    /// Lets a kernel driver hold an address.
    public func bindDriver(_ address: I2CAddress) {
        state.withLock { _ = $0.heldByDriver.insert(address.rawValue) }
    }

    /// Sets what a chip senses from now on.
    ///
    /// - Parameters:
    ///   - quantity: What is set.
    ///   - value: The value in SI units.
    ///   - address: The chip.
    public func set(_ quantity: Quantity, to value: Double, at address: I2CAddress) {
        state.withLock { $0.chips[address.rawValue]?.set(quantity, to: .constant(value)) }
    }

    /// How many transfers there were.
    public var transfers: Int { state.withLock { $0.transfers } }

    func set(_ quantity: Quantity, to curve: Curve, at address: I2CAddress) {
        state.withLock { $0.chips[address.rawValue]?.set(quantity, to: curve) }
    }

    var inventory: BoardInventory.Bus {
        state.withLock { state in
            let present = state.chips.keys.filter { !state.unplugged.contains($0) }.sorted()
            let targets = present.map {
                BoardInventory.Target(address: Int($0), isHeldByDriver: state.heldByDriver.contains($0))
            }
            return BoardInventory.Bus(number: number, name: "simulated bus", targets: targets)
        }
    }
}

/// A chip on a simulated bus: registers towards the bus, SI units towards the world.
public protocol SimulatedChip: Sendable {
    /// One transaction: what is written, then how many bytes are read.
    mutating func transfer(write: [UInt8], readCount: Int, at now: MonotonicTime) -> [UInt8]
    /// Sets what the chip senses.
    mutating func set(_ quantity: Quantity, to curve: Curve)
    /// What happens when its supply comes back.
    mutating func reset(at now: MonotonicTime)
}

/// A value that changes over time: straight lines between points, and again from the beginning where it repeats.
public struct Curve: Hashable, Sendable {
    /// A point of a curve.
    public struct Point: Hashable, Sendable {
        /// The time since the beginning.
        public var at: Duration
        /// The value in SI units.
        public var value: Double

        /// A point of a curve.
        public init(at: Duration, value: Double) {
            self.at = at
            self.value = value
        }
    }

    private let points: [Point]
    private let start: MonotonicTime
    private let period: Duration?

    /// A curve.
    ///
    /// - Parameters:
    ///   - points: At least one, in the order of time.
    ///   - start: When it begins.
    ///   - period: After how long it begins again; nil: it stays at its last value.
    public init(_ points: [Point], startingAt start: MonotonicTime, period: Duration? = nil) {
        precondition(!points.isEmpty, "a curve without points has no value")
        self.points = points
        self.start = start
        self.period = period
    }

    /// A value that never changes.
    public static func constant(_ value: Double) -> Curve {
        Curve([Point(at: .zero, value: value)], startingAt: MonotonicTime(nanoseconds: 0))
    }

    /// The value at a time.
    public func value(at now: MonotonicTime) -> Double {
        var elapsed = now - start
        if let period, period > .zero { elapsed = .nanoseconds(elapsed.nanoseconds % period.nanoseconds) }
        guard let after = points.firstIndex(where: { $0.at > elapsed }) else { return points[points.count - 1].value }
        guard after > 0 else { return points[0].value }
        let (one, other) = (points[after - 1], points[after])
        let share = (elapsed - one.at).seconds / (other.at - one.at).seconds
        return one.value + (other.value - one.value) * share
    }
}
