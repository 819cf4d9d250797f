import DeviceManager
import DeviceModel
import HALTestKit
import TestSupport
import Testing

@testable import Store

/// What the store says of itself is so right after each change.
@Suite(.timeLimit(.minutes(1))) struct StatusTests {
    private let time = ManualTime()
    private let disk = SimulatedDisk()

    private func open(size: Int = 300_000) throws -> Store { try disk.open(size: size, age: .seconds(60), time: time) }

    /// Checks what the store says against what there is.
    private func expect(
        _ store: Store, kept: Int, dropped: Int = 0, _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let status = await store.status()
        #expect(status.kept == kept, sourceLocation: location)
        #expect(status.dropped == dropped, sourceLocation: location)
        #expect(status.problem == nil, sourceLocation: location)
        #expect(status.bytes > 0 && status.bytes.isMultiple(of: 4_096), sourceLocation: location)
        let (telemetry, events) = (try await store.waiting(), try await store.waiting(in: .events))
        #expect(telemetry.observations.count + events.observations.count == kept, sourceLocation: location)
    }

    @Test("how many are kept and were dropped, after each kind of change")
    func counts() async throws {
        let store = try open()
        try await expect(store, kept: 0)
        let first = try await store.append(Sample.readings(1...10, at: time), lost: [Sample.loss(5)])
        try await expect(store, kept: 10)
        _ = try await store.append([Sample.event("pressed", at: time)], lost: [])
        try await expect(store, kept: 11)
        let epoch = first[0].position.epoch
        try await store.acknowledge(StreamReception(.telemetry, epoch, 1...7, 9...9))
        try await expect(store, kept: 8)
        try await store.acknowledge(StreamReception(.telemetry, epoch, 1...7, 9...9))
        try await expect(store, kept: 8)
        _ = try await store.agree(with: [StreamReception(.telemetry, epoch, 1...3)])
        try await expect(store, kept: 8)
        _ = try await store.claim(Sample.command("a"))
        try await expect(store, kept: 8)
        time.advance(by: .seconds(61))
        _ = try await store.append(Sample.readings(1...1, at: time), lost: [])
        try await expect(store, kept: 2, dropped: 7)
        try await store.finish()
        try await expect(store, kept: 2, dropped: 7)
    }

    @Test("new numbers change nothing of it")
    func newNumbers() async throws {
        do {
            let store = try open()
            _ = try await store.append(Sample.readings(1...3, at: time), lost: [])
            try await store.finish()
        }
        let store = try open()
        let old = try #require(try await store.append(Sample.readings(4...8, at: time), lost: []).first).position
        _ = try await store.agree(with: [StreamReception(.telemetry, old.epoch, 1...500)])
        try await expect(store, kept: 8)
        let new = try #require(try await store.waiting().observations.last).position
        #expect(new.epoch != old.epoch)
        try await store.renumber(from: StreamPosition(stream: .telemetry, epoch: new.epoch, sequence: 2))
        try await expect(store, kept: 8)
    }

    @Test("what is kept is counted at a new start, and what was dropped counts from there")
    func newStart() async throws {
        do {
            let store = try open()
            for _ in 0..<40 { _ = try await store.append(Sample.readings(1...100, at: time), lost: []) }
            #expect(await store.status().dropped > 0)
            try await store.finish()
        }
        let store = try open()
        let kept = try await store.waiting().observations.count
        try await expect(store, kept: kept)
    }

    @Test("a call that fails changes no count, says what is wrong, and the next one that goes well takes it back")
    func failure() async throws {
        let store = try open()
        _ = try await store.append(Sample.readings(1...10, at: time), lost: [])
        disk.limit(to: 0)
        // As much as the pages that are there have no room for, so that the disk is needed.
        await #expect(throws: StoreError.self) { try await store.append(Sample.readings(1...200, at: time), lost: []) }
        var status = await store.status()
        #expect(status.kept == 10)
        #expect(status.problem?.contains("is full; free some space") == true)
        disk.repair()
        // That it can be read does not say that all is well.
        #expect(try await store.waiting().observations.count == 10)
        #expect(await store.status().problem?.contains("is full; free some space") == true)
        _ = try await store.append(Sample.readings(1...1, at: time), lost: [])
        try await expect(store, kept: 11)
        disk.fail(at: 1, forEver: true)
        await #expect(throws: StoreError.self) { try await store.append(Sample.readings(1...1, at: time), lost: []) }
        status = await store.status()
        #expect(status.problem?.contains("does not work") == true)
        disk.repair()
        // To read, it is opened again, which writes.
        #expect(try await store.waiting().observations.count == 11)
        #expect(await store.status().problem == nil)
        _ = try await store.append(Sample.readings(1...1, at: time), lost: [])
        try await expect(store, kept: 12)
    }

    @Test("what was dropped is not forgotten when the database is opened again in between")
    func droppedBefore() async throws {
        let store = try open()
        for _ in 0..<40 { _ = try await store.append(Sample.readings(1...100, at: time), lost: []) }
        let dropped = await store.status().dropped
        #expect(dropped > 0)
        disk.fail(at: 1)
        await #expect(throws: StoreError.self) { try await store.append(Sample.readings(1...1, at: time), lost: []) }
        #expect(await store.status().dropped == dropped)
        _ = try await store.append(Sample.readings(1...1, at: time), lost: [])
        #expect(await store.status().dropped == dropped)
        #expect(await store.status().kept == 4_001 - dropped)
    }
}
