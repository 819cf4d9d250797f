import DeviceManager
import DeviceModel
import HALTestKit
import TestSupport
import Testing

@testable import Store

/// A store in a folder that is gone after the test, with a clock by hand.
struct StoreFolder {
    let time: ManualTime
    private let folder: TemporaryDirectory

    init(time: ManualTime = ManualTime()) throws {
        self.time = time
        folder = try TemporaryDirectory()
    }

    /// Where the database is.
    var path: String { folder.file("store.db") }

    /// Opens the store, as a new start of the agent does.
    func open(
        size: Int = 67_108_864, age: Duration = .seconds(86_400),
        whenFull: AgentConfiguration.Store.WhenFull = .dropOldest, hasRouter: Bool = true, time: ManualTime? = nil
    ) throws -> Store {
        let bounds = Store.Bounds(size: size, age: age, whenFull: whenFull, hasRouter: hasRouter)
        return try Store(path: path, bounds: bounds, time: time ?? self.time)
    }

    /// The database itself, for a test that knows its tables.
    func database() throws -> SQLite { try SQLite(path: path) }
}

/// What waits for the router in a stream, all of it.
struct Waiting: Hashable {
    var observations: [RecordedObservation] = []
    var gaps: [Gap] = []

    /// The numbers of the observations.
    var sequences: [UInt64] { observations.map(\.position.sequence) }
    /// What was read.
    var values: [Double?] { observations.map(\.observation.number) }
}

extension Store {
    /// Everything of a part of the outbox.
    func waiting(
        in stream: StreamName = .telemetry, _ span: OutboxSpan = OutboxSpan(after: .start), limit: Int = 100
    ) throws -> Waiting {
        var (waiting, span) = (Waiting(), span)
        while let batch = try batch(of: stream, in: span, limit: limit) {
            waiting.observations += batch.observations
            waiting.gaps += batch.gaps
            #expect(batch.end != span.start, "a batch that does not lead on would come for ever")
            guard batch.end != span.start else { break }
            span.start = batch.end
        }
        return waiting
    }
}
