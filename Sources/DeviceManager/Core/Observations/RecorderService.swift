import DeviceModel
import Logging
import ServiceLifecycle

/// Brings what was observed to the disk, in groups, and tells the watchers afterwards.
struct RecorderService: Service {
    let hub: ObservationHub
    let outbox: any Outbox
    let time: any TimeSource
    let interval: Duration
    let logger: Logger

    /// Its part in the agent's life: it comes by for the next observation.
    var vital: Vital {
        Vital("recorder") { [recordables = hub.recordables] in await recordables.untilReaderComesBy() }
    }

    /// Runs until everything that was observed before the shutdown is stored, or can't be.
    func run() async throws {
        await withGracefulShutdownHandler {
            await record()
        } onGracefulShutdown: {
            hub.recordables.finish()
        }
    }

    private func record() async {
        var batcher = CommitBatcher(interval: interval)
        var incident = Incident(logger, "observations cannot be stored", over: "observations are stored again")
        var backoff = Backoff(first: .seconds(1), cap: .seconds(30), jitter: .none)
        var generator = SystemRandomNumberGenerator()
        while true {
            let due = [batcher.deadline, hub.repeatDeadline].compactMap(\.self).min()
            let received = await hub.recordables.next(until: due, on: time)
            hub.repeatReadings(at: time.now)
            if case .element(let observation) = received, let dropped = batcher.add(observation, at: time.now) {
                hub.lose(dropped, incident.isOn ? .diskFailed : .diskTooSlow)
            }
            let isLast = if case .finished = received { true } else { false }
            do {
                // Nothing was due, so nothing is proved either.
                guard try await store(isLast ? batcher.waiting : batcher.due(at: time.now), &batcher) else {
                    if isLast { return await finish() }
                    continue
                }
                backoff.succeeded()
                incident.end()
            } catch {
                batcher.failed(retryAt: time.now + backoff.failed(using: &generator))
                incident.happened(error.explanation)
                if isLast { return }
            }
            if isLast { return await finish() }
        }
    }

    /// Everything is stored that was observed.
    private func finish() async {
        do {
            try await outbox.finish()
        } catch {
            logger.warning(
                "the end of this run was not written down; the next one takes it for cut off",
                metadata: ["reason": "\(error.explanation)"])
        }
    }

    /// - Returns: Whether there was anything to store, and it is stored.
    private func store(_ observations: [Observation], _ batcher: inout CommitBatcher) async throws -> Bool {
        guard !observations.isEmpty else { return false }
        let lost = hub.takeLosses()
        let recorded: [RecordedObservation]
        do {
            recorded = try await outbox.append(observations, lost: lost)
        } catch {
            hub.giveBack(lost)
            throw error
        }
        batcher.stored()
        hub.publish(recorded)
        return true
    }
}
