import DeviceModel
import GRDB
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: whatever comes in whatever order, however often, each number is stored once, what is acknowledged is what is
/// here, and gaps name exactly what is missing.
@Suite(.timeLimit(.minutes(10))) struct IngestModelTests {
    private let store: RouterStore

    init() throws {
        store = try RouterStore(inMemoryAt: ManualTime())
    }

    @Test("In 300 random histories the router knows what a dictionary of all numbers knows")
    func histories() async throws {
        let device = try await store.addDevice(
            "greenhouse", of: try await store.addOwner("ada"), key: Sample.key(1))
        var clashes = 0
        for seed: UInt64 in 1...300 {
            var (model, weather) = (IngestModel(), IngestWeather(seed: seed))
            for step in 0..<14 {
                let batch = weather.next()
                let place: Comment = "seed \(seed), step \(step)"
                if let known = model.numbers({ $0 == .observed }).last, step % 7 == 3 {
                    let wrong = Sample.batch([Sample.reading(known, .text("another"))], epoch: seed)
                    try await refuse(wrong, at: known, model, device, place)
                }
                if let clash = model.clash(batch) {
                    clashes += 1
                    try await refuse(batch, at: clash, model, device, place)
                    continue
                }
                let ingested = try await store.ingest(batch, from: device)
                let (new, missing) = model.take(batch)
                try #require(ingested.new.map(\.position.sequence) == new, place)
                let named = ingested.gaps.flatMap { Array($0.numbers) }
                try #require(named.count == missing.count && Set(named) == missing, place)
                try #require(ingested.reception.received.through == model.through, place)
                try #require(ingested.reception.received.ranges == model.acknowledged(batch), place)
            }
            try await compare(model, device, epoch: seed, "seed \(seed)")
        }
        #expect(clashes > 50)
    }

    /// A batch in which a number stands for something else than before changes nothing.
    private func refuse(
        _ batch: ObservationBatch, at number: UInt64, _ model: IngestModel, _ device: RouterStore.Device,
        _ place: Comment
    ) async throws {
        let conflict = await #expect(throws: NumberConflict.self, place) { try await store.ingest(batch, from: device) }
        try #require(conflict?.position.sequence == number, place)
        try await compare(model, device, epoch: batch.epoch, place)
    }

    /// Holds what is in the database against the model.
    private func compare(
        _ model: IngestModel, _ device: RouterStore.Device, epoch: UInt64, _ place: Comment
    ) async throws {
        let key = RouterStore.Place(device: device.row, stream: .telemetry, epoch: epoch)
        let (stored, ranges, gaps) = try await store.database.read { db in
            (
                try Int64.fetchAll(
                    db,
                    sql: "SELECT sequence FROM observations WHERE device = ? AND stream = ? AND epoch = ? ORDER BY 1",
                    arguments: key.arguments
                ).map { UInt64($0) },
                try Row.fetchAll(
                    db,
                    sql: "SELECT first, last FROM received WHERE device = ? AND stream = ? AND epoch = ? ORDER BY 1",
                    arguments: key.arguments
                ).map { $0.unsigned("first")...$0.unsigned("last") },
                try RouterStore.gaps(db, key, RouterStore.GapSelection(behind: 0), limit: 1_000)
            )
        }
        try #require(stored == model.numbers { $0 == .observed }, place)
        try #require(ranges == model.ranges, place)
        for isCounted in [true, false] {
            let named = gaps.filter { ($0.count != nil) == isCounted }.flatMap { Array($0.numbers) }
            try #require(named == model.numbers { $0 == .missing(isCounted: isCounted) }, place)
        }
        let counted = gaps.compactMap(\.count).reduce(0, +)
        try #require(counted == UInt64(model.numbers { $0 == .missing(isCounted: true) }.count), place)
    }
}
