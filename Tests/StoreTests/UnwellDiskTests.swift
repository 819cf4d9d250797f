import DeviceManager
import DeviceModel
import Glibc
import HALTestKit
import TestSupport
import Testing

@testable import Store

/// A disk that is full, read-only or does not answer keeps no agent from starting, and the store works as soon as the
/// disk does.
@Suite(.timeLimit(.minutes(1))) struct UnwellDiskTests {
    private let time = ManualTime()
    private let disk = SimulatedDisk()

    /// Stores some readings in a run of its own, which ends in order.
    private func run(on disk: SimulatedDisk) async throws {
        let store = try disk.open(time: time)
        _ = try await store.append(Sample.readings(1...3, at: time), lost: [])
        try await store.finish()
    }

    /// Checks that everything fails with the same words, and nothing has an effect.
    private func expectNothingWorks(_ store: Store, _ words: String) async throws {
        func expectFailure(_ body: () async throws -> Void) async {
            await #expect {
                try await body()
            } throws: {
                "\($0)".contains(words)
            }
            #expect(await store.status().problem?.contains(words) == true)
        }
        #expect(await store.status().problem?.contains(words) == true)
        await expectFailure { _ = try await store.append(Sample.readings(4...4, at: time), lost: [Sample.loss(1)]) }
        await expectFailure { _ = try await store.claim(Sample.command("a")) }
        await expectFailure { try await store.finish() }
        await expectFailure { _ = try await store.agree(with: [StreamReception(.telemetry, 7, 1...9)]) }
    }

    /// Checks that the store works, and holds these readings.
    private func expectAllIsWell(_ store: Store, _ values: [Double]) async throws {
        let stored = try await store.append(Sample.readings(5...5, at: time), lost: [])
        #expect(stored.first?.position.sequence == UInt64(values.count + 1))
        #expect(await store.status().problem == nil)
        #expect(await store.status().kept == values.count + 1)
        #expect(try await store.waiting().values == values + [5])
        #expect(try await store.waiting().gaps == [])
        #expect(try await store.claim(Sample.command("a")))
    }

    @Test("full at the start, with and without a database", arguments: [true, false])
    func full(isThere: Bool) async throws {
        if isThere { try await run(on: disk) }
        disk.limit(to: 0)
        let store = try disk.open(time: time)
        try await expectNothingWorks(store, "is full; free some space, it goes on by itself")
        disk.repair()
        try await expectAllIsWell(store, isThere ? [1, 2, 3] : [])
    }

    @Test("a disk that does not answer at the start, from its first, second or third operation on", arguments: 1...3)
    func doesNotAnswer(operation: UInt64) async throws {
        for isThere in [true, false] {
            let disk = SimulatedDisk()
            if isThere { try await run(on: disk) }
            disk.fail(at: operation, forEver: true)
            let store = try disk.open(time: time)
            await #expect(throws: StoreError.self) { _ = try await store.append([], lost: [Sample.loss(1)]) }
            #expect(await store.status().problem != nil)
            disk.repair()
            try await expectAllIsWell(store, isThere ? [1, 2, 3] : [])
        }
    }

    @Test("a run that could store nothing at all is named by the next, however it ended; one that could later is not")
    func unheardOf() async throws {
        for isWellLater in [false, true] {
            let folder = try StoreFolder(time: time)
            func run(_ body: (Store) async throws -> Void) async throws { try await body(try folder.open()) }
            try await run { store in
                _ = try await store.append(Sample.readings(1...3, at: time), lost: [])
                try await store.finish()
            }
            #expect(rename(folder.path, folder.path + ".away") == 0 && mkdir(folder.path, 0o700) == 0)
            try await run { store in
                await #expect(throws: StoreError.self) {
                    try await store.append(Sample.readings(4...4, at: time), lost: [])
                }
                await #expect(throws: StoreError.self) { try await store.finish() }
                guard isWellLater else { return }
                #expect(rmdir(folder.path) == 0 && rename(folder.path + ".away", folder.path) == 0)
                _ = try await store.append(Sample.readings(4...4, at: time), lost: [])
                try await store.finish()
            }
            if !isWellLater { #expect(rmdir(folder.path) == 0 && rename(folder.path + ".away", folder.path) == 0) }
            for _ in 0..<2 {
                try await run { store in
                    let waiting = try await store.waiting()
                    #expect(waiting.gaps.map(\.reason) == (isWellLater ? [] : [.uncleanStop]))
                    #expect(waiting.values == (isWellLater ? [1, 2, 3, 4] : [1, 2, 3]))
                    try await store.finish()
                }
            }
        }
    }

    @Test("read-only at the start, with and without a database", arguments: [true, false])
    func readOnly(isThere: Bool) async throws {
        if isThere { try await run(on: disk) }
        disk.setReadOnly()
        let store = try disk.open(time: time)
        try await expectNothingWorks(store, "store.db cannot be")
        disk.repair()
        try await expectAllIsWell(store, isThere ? [1, 2, 3] : [])
    }

    @Test("read-only while it runs")
    func readOnlyMeanwhile() async throws {
        let store = try disk.open(time: time)
        _ = try await store.append(Sample.readings(1...3, at: time), lost: [])
        disk.setReadOnly()
        await #expect {
            _ = try await store.append(Sample.readings(4...4, at: time), lost: [])
        } throws: {
            ($0 as? StoreError)?.code == .notPermitted
        }
        try await expectNothingWorks(store, "is its disk mounted read-only?")
        disk.repair()
        try await expectAllIsWell(store, [1, 2, 3])
    }

    @Test("full while it runs: what is there can be read, and sent")
    func fullMeanwhile() async throws {
        let store = try disk.open(time: time)
        let stored = try await store.append(Sample.readings(1...3, at: time), lost: [])
        disk.limit(to: 0)
        await #expect(throws: StoreError.self) { _ = try await store.append([], lost: [Sample.loss(1)]) }
        try await expectNothingWorks(store, "is full; free some space, it goes on by itself")
        #expect(try await store.waiting().observations == stored)
        #expect(try await store.history(of: Sample.climate, property: nil, since: nil, limit: 10).count == 3)
        disk.repair()
        try await expectAllIsWell(store, [1, 2, 3])
    }

    @Test("a folder that does not exist is said, and used as soon as it does")
    func noFolder() async throws {
        let parent = try TemporaryDirectory()
        let bounds = Store.Bounds(size: 1_048_576, age: .seconds(60), hasRouter: false)
        let store = try Store(path: parent.file("later/store.db"), bounds: bounds, time: time)
        await #expect(throws: StoreError.self) { _ = try await store.append([], lost: [Sample.loss(1)]) }
        #expect(await store.status().problem?.contains("cannot be opened") == true)
        #expect(mkdir(parent.file("later"), 0o700) == 0)
        try await expectAllIsWell(store, [])
    }

    @Test("a folder that this user may not use is for somebody to mend first", .enabled(if: geteuid() != 0))
    func forbidden() throws {
        let parent = try TemporaryDirectory()
        #expect(mkdir(parent.file("locked"), 0o000) == 0)
        let bounds = Store.Bounds(size: 1_048_576, age: .seconds(60), hasRouter: false)
        #expect(throws: StoreError.self) { try Store(path: parent.file("locked/store.db"), bounds: bounds, time: time) }
    }
}
