public import DeviceModel
import Synchronization

/// The road up: everything that is observed passes here, is dated and checked, and goes on to whoever needs it.
///
/// Nobody who reports ever waits: what goes on to the disk waits in a bounded mailbox of which ``RecorderService`` is
/// the reader, and bindings see events before the disk does.
public final class ObservationHub: Sendable {
    fileprivate struct State {
        var device: DeviceDescription
        var settings: [ComponentID: [String: ReportFilter.Settings]]
        var current = CurrentReadings()
        var filters: [ComponentID: [String: ReportFilter]] = [:]
        var watchers: [Int: Mailbox<RecordedObservation>] = [:]
        var nextWatcher = 0
        /// What was lost and has no numbers yet.
        var lost: [LossKind: Loss] = [:]
        var lostSinceStart = 0
    }

    /// What waits for the disk: 1024 of them; the oldest reading goes when one more comes, anything else only where no
    /// reading is left, and is counted as lost.
    let recordables = Mailbox<Observation>(bound: 1_024, policy: .dropOldest) { $0.stream == .telemetry }
    /// Events for the bindings: 64 of them; the oldest goes when one more comes.
    ///
    /// A finger is slower.
    let events = Mailbox<Event>(bound: 64, policy: .dropOldest)

    private let time: any TimeSource
    private let state: Mutex<State>

    init(
        device: DeviceDescription, filters: [ComponentID: [String: ReportFilter.Settings]], time: any TimeSource
    ) {
        self.time = time
        state = Mutex(State(device: device, settings: filters))
    }

    /// The device is this from now on.
    ///
    /// - Parameters:
    ///   - device: What it is.
    ///   - filters: What goes up of its readings.
    ///   - changed: The components that are gone or others now: what was read of them is forgotten.
    func configure(
        _ device: DeviceDescription, filters: [ComponentID: [String: ReportFilter.Settings]],
        changed: Set<ComponentID>
    ) {
        state.withLock { state in
            let other = filters.filter { state.settings[$0.key] != $0.value }.keys
            (state.device, state.settings) = (device, filters)
            for id in changed { state.current.forget(id) }
            for id in changed.union(other) { state.filters[id] = nil }
        }
    }

    /// What was read of a component is forgotten.
    ///
    /// - Parameter id: It does not say anything any more, or is another one now.
    func forget(_ id: ComponentID) {
        state.withLock { state in
            state.current.forget(id)
            state.filters[id] = nil
        }
    }

    // MARK: In

    /// Something was observed at a point of the device's own clock.
    public func observe(at moment: MonotonicTime, _ content: Observation.Content) {
        let stamp = time.timestamp(at: moment)
        var content = content
        if case .reading(let reading) = content { content = .reading(checked(reading).bounded) }
        if case .result(let result) = content { content = .result(result.bounded) }
        if case .event(let event) = content {
            content = .event(event.bounded)
            events.send(event)
        }
        guard passes(content, at: stamp) else { return }
        let observation = Observation(time: stamp, content: content)
        if case .dropped(let oldest) = recordables.send(observation) { lose(oldest, .diskTooSlow) }
    }

    /// Takes note of a reading, and says whether it goes on.
    private func passes(_ content: Observation.Content, at stamp: Timestamp) -> Bool {
        guard case .reading(let reading) = content else { return true }
        return state.withLock { state in
            state.current.update(reading, at: stamp)
            let settings = state.settings[reading.component]?[reading.property] ?? ReportFilter.Settings()
            return state.filters[reading.component, default: [:]][reading.property, default: ReportFilter(settings)]
                .passes(reading, at: stamp.monotonic)
        }
    }

    /// A value that its own description rules out is no good reading.
    private func checked(_ reading: Reading) -> Reading {
        guard reading.quality == .good, let number = reading.value?.numeric,
            let property = state.withLock({ $0.device.component(reading.component)?.property(reading.property) })
        else { return reading }
        let isInRange = number.isFinite && number >= property.minimum ?? number && number <= property.maximum ?? number
        guard !isInRange else { return reading }
        let shown = Value.number(number).text(of: property.quantity)
        return Reading(
            component: reading.component, property: reading.property, value: nil, quality: .failed,
            reason: "\(shown) is out of range")
    }

    // MARK: Again

    /// When a reading of something that is only told when it changes is to go up again; nil: none is.
    var repeatDeadline: MonotonicTime? {
        state.withLock { state in state.repeated.compactMap { state.filters[$0]?[$1]?.deadline }.min() }
    }

    /// Lets the newest readings go up again whose time has come.
    func repeatReadings(at now: MonotonicTime) {
        for (component, property) in state.withLock(\.repeated) {
            let reading = state.withLock { state -> Reading? in
                guard let deadline = state.filters[component]?[property]?.deadline, deadline <= now else { return nil }
                return state.current.reading(component, property)
            }
            if let reading { observe(at: now, .reading(reading)) }
        }
    }

    // MARK: Out

    /// The newest readings.
    public func read(_ address: Address) -> [ReportedObservation] {
        state.withLock { $0.current.report($0.device, address, at: time.now) }
    }

    /// Subscribes to everything that is stored from now on.
    ///
    /// - Parameter bound: How many may wait; the oldest goes when one more comes.
    /// - Returns: Where it arrives, and what ends the subscription.
    public func watch(bound: Int) -> (arrivals: Mailbox<RecordedObservation>, end: @Sendable () -> Void) {
        let arrivals = Mailbox<RecordedObservation>(bound: bound, policy: .dropOldest)
        let id = state.withLock { state in
            state.nextWatcher += 1
            state.watchers[state.nextWatcher] = arrivals
            return state.nextWatcher
        }
        let end: @Sendable () -> Void = { [self] in
            state.withLock { _ = $0.watchers.removeValue(forKey: id) }
            arrivals.finish()
        }
        return (arrivals, end)
    }

    /// Observations are on the disk now.
    func publish(_ recorded: [RecordedObservation]) {
        let watchers = state.withLock { state in
            for record in recorded {
                if case .reading(let reading) = record.observation.content {
                    state.current.number(reading, at: record.observation.time, record.position)
                }
            }
            return Array(state.watchers.values)
        }
        for watcher in watchers {
            for record in recorded { watcher.send(record) }
        }
    }

    // MARK: Lost

    /// An observation had to go before it could be stored.
    func lose(_ observation: Observation, _ reason: GapReason) {
        let wall = observation.time.isSynchronised ? observation.time.wall : nil
        let loss = Loss(stream: observation.stream, reason: reason, count: 1, since: wall, until: wall)
        state.withLock { state in
            state.lose(loss)
            state.lostSinceStart += 1
        }
    }

    /// What was lost and has no numbers yet, for whoever gives it some: who can't gives it back.
    func takeLosses() -> [Loss] {
        state.withLock { state in
            defer { state.lost = [:] }
            return state.lost.values.sorted {
                ($0.stream.rawValue, $0.reason.rawValue) < ($1.stream.rawValue, $1.reason.rawValue)
            }
        }
    }

    /// What was lost could not be given numbers yet.
    func giveBack(_ losses: [Loss]) {
        state.withLock { state in
            for loss in losses { state.lose(loss) }
        }
    }

    /// How many observations were lost since the start, because the disk did not keep up.
    var lostSinceStart: Int { state.withLock { $0.lostSinceStart } }
}

/// What can be named in one gap.
private struct LossKind: Hashable {
    var stream: StreamName
    var reason: GapReason
}

extension ObservationHub.State {
    /// Adds up what was lost.
    fileprivate mutating func lose(_ loss: Loss) {
        let kind = LossKind(stream: loss.stream, reason: loss.reason)
        guard var known = lost[kind] else { return lost[kind] = loss }
        known.count += loss.count
        known.since = known.since.flatMap { since in loss.since.map { min(since, $0) } }
        known.until = known.until.flatMap { until in loss.until.map { max(until, $0) } }
        lost[kind] = known
    }

    /// What goes up again by itself.
    ///
    /// What is measured again and again comes anyway; silence is a failure there.
    fileprivate var repeated: [(ComponentID, String)] {
        settings.flatMap { id, properties in
            properties.filter { name, settings in
                settings.atLeast != nil && device.component(id)?.property(name).map { $0.staleAfter == nil } == true
            }.map { (id, $0.key) }
        }
    }
}

extension Reading {
    /// The same with texts of a length that every message has room for.
    fileprivate var bounded: Reading {
        var reading = self
        reading.reason = reason?.bounded
        if case .text(let text)? = value { reading.value = .text(text.bounded) }
        return reading
    }
}

extension Event {
    /// The same with texts of a length that every message has room for.
    fileprivate var bounded: Event {
        var event = self
        event.detail = detail?.bounded
        return event
    }
}

extension CommandResult {
    /// The same with texts of a length that every message has room for.
    fileprivate var bounded: CommandResult {
        var result = self
        (result.action, result.reason) = (action.bounded, reason?.bounded)
        return result
    }
}

extension String {
    /// At most 1000 bytes of it, in UTF-8.
    fileprivate var bounded: String {
        guard utf8.count > 1_000 else { return self }
        var (kept, size) = (String.UnicodeScalarView(), 0)
        for scalar in unicodeScalars {
            size += UTF8.width(scalar)
            guard size <= 1_000 else { break }
            kept.append(scalar)
        }
        return String(kept) + "…"
    }
}
