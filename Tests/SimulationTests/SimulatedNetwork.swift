import DeviceModel

/// A connection between a device and the router, as far as the network lets it be one.
///
/// Messages arrive in their order and after a delay, as over TCP; besides, some are lost or come twice, which TCP does
/// not do, and a machine between the two may.
final class SimulatedConnection {
    /// One of its two ends.
    enum End {
        case device
        case router
    }

    private let world: World
    private let faults: NetworkFaults
    private var readers: [End: ([UInt8]?) async throws -> Void] = [:]
    private var isOpen: [End: Bool] = [.device: true, .router: true]
    /// Nothing arrives any more, and nobody is told.
    private var isSilent = false
    private var arrival: [End: Duration] = [:]

    init(_ world: World, _ faults: NetworkFaults) {
        self.world = world
        self.faults = faults
    }

    /// What an end does with each message, and with the news that the other one is gone: nil.
    func onMessage(at end: End, _ read: @escaping ([UInt8]?) async throws -> Void) {
        readers[end] = read
    }

    /// Sends a message from one end to the other.
    func send(_ message: [UInt8], from end: End) {
        guard isOpen[end] == true else { return }
        guard !world.chance(faults.loss) else { return world.note("a message is lost") }
        deliver(message, to: end == .device ? .router : .device)
        if world.chance(faults.duplication) { deliver(message, to: end == .device ? .router : .device) }
    }

    /// One end hangs up: the other one hears of it after all that was said before.
    func close(_ end: End) {
        guard isOpen[end] == true else { return }
        vanish(end)
        deliver(nil, to: end == .device ? .router : .device)
    }

    /// The connection breaks: what is on its way is lost, and both ends hear of it.
    func cut() {
        let (old, ends) = (readers, [End.device, .router].filter { isOpen[$0] == true })
        readers = [:]
        for end in ends {
            isOpen[end] = false
            guard let read = old[end] else { continue }
            world.after(world.duration(faults.delay)) { try await read(nil) }
        }
    }

    /// Nothing arrives any more, in both directions, and neither end hears of it.
    func fallSilent() {
        isSilent = true
    }

    /// The world ends: nobody is kept alive by what it would do with a message.
    func forget() {
        readers = [:]
    }

    /// An end is gone with its machine, without a word.
    func vanish(_ end: End) {
        isOpen[end] = false
        readers[end] = nil
    }

    private func deliver(_ message: [UInt8]?, to end: End) {
        let time = max(arrival[end] ?? .zero, world.time.now + world.duration(faults.delay))
        arrival[end] = time
        world.after(time - world.time.now) { [self] in
            guard !isSilent, isOpen[end] == true else { return }
            let read = readers[end]
            if message == nil { vanish(end) }
            try await read?(message)
        }
    }
}

/// How bad a network is.
struct NetworkFaults {
    /// How long a message takes.
    var delay: ClosedRange<Duration> = .milliseconds(1)...(.milliseconds(40))
    /// How many of the messages are lost.
    var loss = 0.0
    /// How many of the messages come twice.
    var duplication = 0.0
}
