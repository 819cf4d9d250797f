import DeviceManager
import DeviceModel
import Dispatch
import Glibc
import HALTestKit
import Synchronization
import Testing

@testable import Store

/// A damaged database is set aside, another one is begun with new epochs, and each stream says so; the store goes on.
@Suite(.timeLimit(.minutes(1))) struct DamageTests {
    /// What can happen to the file of a database that is closed.
    enum Damage: CaseIterable, CustomTestStringConvertible {
        case garbage
        case truncated
        case header
        case pageInTheMiddle

        var testDescription: String {
            switch self {
            case .garbage: "garbage"
            case .truncated: "cut off"
            case .header: "its first bytes overwritten"
            case .pageInTheMiddle: "a page overwritten"
            }
        }

        func happens(to file: inout [UInt8]) {
            switch self {
            case .garbage: file = Array("this is no database, but a text of some length that says so\n".utf8)
            case .truncated: file.removeLast(file.count / 2)
            case .header: file.replaceSubrange(0..<100, with: [UInt8](repeating: 0xA5, count: 100))
            case .pageInTheMiddle:
                let start = file.count / 2 / 4_096 * 4_096
                file.replaceSubrange(start..<start + 4_096, with: [UInt8](repeating: 0xA5, count: 4_096))
            }
        }
    }

    private let time = ManualTime()
    private let folder: StoreFolder

    init() throws {
        folder = try StoreFolder(time: time)
    }

    // MARK: Files

    private func contents(_ path: String) throws -> [UInt8] {
        let stream = try #require(fopen(path, "r"), "\(path) is there")
        defer { fclose(stream) }
        var (bytes, part) = ([UInt8](), [UInt8](repeating: 0, count: 65_536))
        while case let count = fread(&part, 1, part.count, stream), count > 0 { bytes += part.prefix(count) }
        return bytes
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        let stream = try #require(fopen(path, "w"), "\(path) can be written")
        #expect(fwrite(bytes, 1, bytes.count, stream) == bytes.count)
        fclose(stream)
    }

    private func isThere(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Stores readings in a run of its own, which ends in order.
    ///
    /// - Returns: The epoch.
    private func run(_ values: ClosedRange<Int>) async throws -> UInt64 {
        let store = try folder.open()
        let stored = try await store.append(Sample.readings(values, at: time), lost: [])
        try await store.finish()
        return try #require(stored.first).position.epoch
    }

    /// Checks that this is a new database that says what it has replaced, and that it works.
    private func expectNew(_ store: Store, instead old: UInt64) async throws {
        let telemetry = try #require(try await store.waiting().gaps.first)
        let gap = Gap(
            stream: .telemetry, epoch: telemetry.epoch, first: 1, last: 1, count: nil, reason: .storeDamaged,
            until: time.wall)
        #expect(telemetry == gap)
        #expect(telemetry.epoch != old)
        #expect(try await store.waiting(in: .events).gaps.map(\.reason) == [.storeDamaged])
        #expect(try await store.waiting().observations == [])
        let next = try #require(try await store.append(Sample.readings(1...1, at: time), lost: []).first).position
        #expect(next == StreamPosition(stream: .telemetry, epoch: telemetry.epoch, sequence: 2))
        #expect(await store.status().problem == nil)
        #expect(await store.status().kept == 1)
        #expect(isThere("\(folder.path).damaged"))
    }

    // MARK: Found when it is opened

    @Test("found when it is opened", arguments: Damage.allCases)
    func foundAtTheStart(_ damage: Damage) async throws {
        let old = try await run(1...3_000)
        var file = try contents(folder.path)
        damage.happens(to: &file)
        try write(file, to: folder.path)
        let store = try folder.open()
        try await expectNew(store, instead: old)
        #expect(try contents("\(folder.path).damaged") == file)
        try await store.finish()
        // It is told once.
        #expect(try await folder.open().waiting().gaps.map(\.reason) == [.storeDamaged])
    }

    @Test(
        "numbers that were never given are damage, too: nothing is taken for what it can't be, and nothing ends the agent",
        arguments: [
            "gaps SET first = last + 1", "gaps SET first = -3", "gaps SET count = -1",
            "acknowledged SET first = last + 1", "acknowledged SET last = -1",
            "streams SET next = 0", "streams SET next = 9223372036854775807", "observations SET sequence = -1",
            "observations SET sequence = 9223372036854775807", "observations SET value = 9e999",
        ])
    func nonsense(_ change: String) async throws {
        do {
            let store = try folder.open()
            let stored = try await store.append(Sample.readings(1...5, at: time), lost: [Sample.loss(3)])
            let epoch = try #require(stored.first?.position.epoch)
            try await store.acknowledge(StreamReception(.telemetry, epoch, 4...5))
            try await store.finish()
        }
        do {
            let database = try folder.database()
            try database.execute("UPDATE \(change)")
            #expect(database.changedRows > 0)
        }
        let store = try folder.open()
        #expect(try await store.waiting().gaps.map(\.reason) == [.storeDamaged])
        #expect(try await store.append(Sample.readings(1...1, at: time), lost: []).count == 1)
        #expect(access("\(folder.path).damaged", F_OK) == 0)
    }

    @Test("what the router says of an epoch that is over is no damage, whatever it is")
    func hugeNumbers() async throws {
        let epoch = try await run(1...3)
        do {
            let store = try folder.open()
            let known = StreamReception(.telemetry, epoch, 1...3)
            _ = try await store.agree(with: [StreamReception(.telemetry, 99, 5...UInt64(Int64.max)), known])
            try await store.finish()
        }
        _ = try folder.open()
        #expect(!isThere("\(folder.path).damaged"))
    }

    @Test("the one that was set aside before makes room for it, and a journal that is left over is not taken for new")
    func twice() async throws {
        for byte in UInt8(1)...2 {
            _ = try await run(1...10)
            let garbage = [UInt8](repeating: byte, count: 5_000)
            try write(garbage, to: folder.path)
            try write(garbage, to: "\(folder.path)-wal")
            let gaps = try await folder.open().waiting().gaps
            #expect(gaps.map(\.reason) == [.storeDamaged])
            #expect(try contents("\(folder.path).damaged") == garbage)
        }
    }

    @Test("an empty file is a new store: numbers have another epoch, and the router's word that it knew one is told")
    func emptyFile() async throws {
        let old = try await run(1...10)
        try write([], to: folder.path)
        let store = try folder.open()
        let first = try #require(try await store.append(Sample.readings(1...1, at: time), lost: []).first).position
        #expect(first.sequence == 1)
        #expect(first.epoch != old)
        _ = try await store.agree(with: [StreamReception(.telemetry, old, 1...10)])
        #expect(try await store.waiting().gaps.map(\.reason) == [.storeReplaced])
        #expect(try await store.waiting().values == [1])
    }

    @Test("a folder in its place is for somebody to look at, and is not moved")
    func folderInItsPlace() async throws {
        #expect(mkdir(folder.path, 0o700) == 0)
        let store = try folder.open()
        await #expect(throws: StoreError.self) { _ = try await store.append([], lost: [Sample.loss(1)]) }
        #expect(await store.status().problem?.contains("cannot be opened") == true)
        #expect(isThere(folder.path))
        #expect(!isThere("\(folder.path).damaged"))
        #expect(rmdir(folder.path) == 0)
        #expect(try await store.append(Sample.readings(1...1, at: time), lost: []).first?.position.sequence == 1)
        #expect(await store.status().problem == nil)
    }

    @Test("garbage in the journal costs what was only there, and no number comes again")
    func garbageInTheJournal() async throws {
        let first = try await run(1...10)
        let disk: ([UInt8], [UInt8])
        do {
            let store = try folder.open()
            _ = try await store.append(Sample.readings(11...20, at: time), lost: [])
            disk = (try contents(folder.path), try contents("\(folder.path)-wal"))
        }
        // As a kill leaves it, and then something has written into the journal.
        try write(disk.0, to: folder.path)
        try write(disk.1.map { $0 ^ 0x5A }, to: "\(folder.path)-wal")
        let store = try folder.open()
        #expect(try await store.waiting().sequences == Array(1...10))
        _ = try await store.append(Sample.readings(21...25, at: time), lost: [])
        // The router had all of it.
        _ = try await store.agree(with: [StreamReception(.telemetry, first, 1...20)])
        let waiting = try await store.waiting()
        #expect(waiting.values == (1...10).map { Double($0) } + (21...25).map { Double($0) })
        #expect(waiting.observations.suffix(5).allSatisfy { $0.position.epoch != first })
        #expect(waiting.gaps.map(\.reason) == [.storeReplaced])
    }

    // MARK: Found while it runs

    @Test("found while it runs: what was asked fails, and the next call finds a new database")
    func foundWhileRunning() async throws {
        let old = try await run(1...40_000)
        let store = try folder.open()
        // As a session does, which goes on meanwhile.
        let end = try #require(try await store.agree(with: [])[.telemetry]).end
        try await destroy(store)
        let status = await store.status()
        #expect(status.problem?.contains("it is set aside, and a new one is begun") == true)
        #expect(status.kept == 0)
        try await expectNew(store, instead: old)
        let live = try await store.batch(of: .telemetry, in: OutboxSpan(after: end), limit: 10)
        #expect(live?.gaps.map(\.reason) == [.storeDamaged])
        #expect(live?.observations.map(\.position.sequence) == [2])
    }

    /// Writes over what is on the disk, and works with it until that is found.
    private func destroy(_ store: Store) async throws {
        var file = try contents(folder.path)
        // All but what is needed to find one's way: nothing of this is in memory.
        for start in stride(from: file.count / 4, to: file.count, by: 4_096) {
            file.replaceSubrange(start..<min(start + 4_096, file.count), with: [UInt8](repeating: 0xA5, count: 4_096))
        }
        let stream = try #require(fopen(folder.path, "r+"))
        #expect(fwrite(file, 1, file.count, stream) == file.count)
        fclose(stream)
        await #expect {
            while true {
                _ = try await store.history(of: Sample.climate, property: nil, since: nil, limit: 50_000)
                _ = try await store.append(Sample.readings(1...100, at: time), lost: [])
            }
        } throws: {
            ($0 as? StoreError)?.description.contains("is damaged") == true
        }
    }

    @Test("garbage in the journal of a running store is found at the next start, at the latest")
    func garbageInTheJournalMeanwhile() async throws {
        let old = try await run(1...10)
        do {
            let store = try folder.open()
            _ = try await store.append(Sample.readings(1...1_000, at: time), lost: [])
            let journal = "\(folder.path)-wal"
            let stream = try #require(fopen(journal, "r+"))
            let garbage = [UInt8](repeating: 0xA5, count: try contents(journal).count)
            #expect(fwrite(garbage, 1, garbage.count, stream) == garbage.count)
            fclose(stream)
        }
        try await expectNew(try folder.open(), instead: old)
    }

    // MARK: Opening

    @Test("a database that somebody is just closing is waited for")
    func waitsForWhoeverCloses() throws {
        for _ in 0..<200 {
            let before = Mutex<Store?>(try folder.open())
            DispatchQueue.concurrentPerform(iterations: 2) { side in
                if side == 0 {
                    before.withLock { $0 = nil }
                } else {
                    #expect(throws: Never.self) { try folder.open() }
                }
            }
        }
    }
}
