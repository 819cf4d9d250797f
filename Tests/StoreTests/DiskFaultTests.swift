import DeviceModel
import HALTestKit
import TestSupport
import Testing

@testable import Store

/// Whenever the disk fails, nothing that was stored is lost, twice or under another's number; the store says what is
/// wrong, and goes on when the disk is well again.
///
/// One life of a store is lived again and again, and each time another operation of the disk fails.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DiskFaultTests {
    private static let parts: UInt64 = 4

    /// How many operations there are when nothing fails, and how many bytes there are at most.
    private func undisturbed() async throws -> (operations: UInt64, bytes: UInt64) {
        let disk = SimulatedDisk()
        let life = StoreLife(disk: disk, .again)
        try await life.live()
        let operations = disk.operations
        try await life.look()
        #expect(life.faults == [])
        #expect(!life.hasFailed)
        #expect(operations > 100 && life.pruned > 10, "hardly anything happens: this life proves nothing")
        // While it is open there is a journal besides.
        return (operations, disk.size + 1_048_576)
    }

    /// Lives lives in each of which something else goes wrong.
    private func live(
        _ conduct: StoreLife.Conduct, for numbers: some Sequence<UInt64>, _ plan: (SimulatedDisk, UInt64) -> Void
    ) async throws {
        var (faults, count, failures): ([String], Int, Int) = ([], 0, 0)
        for number in numbers {
            let disk = SimulatedDisk()
            plan(disk, number)
            let life = StoreLife(disk: disk, conduct)
            try await life.live()
            try await life.look()
            if let fault = life.faults.first { faults.append("\(number): \(fault) and \(life.faults.count - 1) more") }
            count += 1
            failures += life.hasFailed ? 1 : 0
        }
        #expect(faults == [])
        #expect(failures > count / 3, "what fails is seldom noticed")
    }

    @Test("each operation fails once", arguments: 1...parts)
    func once(part: UInt64) async throws {
        let count = try await undisturbed().operations
        try await live(.again, for: stride(from: part, through: count, by: Int(Self.parts))) { $0.fail(at: $1) }
    }

    @Test("from each operation on all fail, until the disk is repaired", arguments: 1...parts)
    func forEver(part: UInt64) async throws {
        let count = try await undisturbed().operations
        try await live(.againAfterRepair, for: stride(from: part, through: count, by: Int(Self.parts))) {
            $0.fail(at: $1, forEver: true)
        }
    }

    @Test("the disk has room for so much and no more, until somebody makes room")
    func full() async throws {
        let bytes = try await undisturbed().bytes
        try await live(.againAfterRepair, for: stride(from: 0, to: bytes, by: 4_096)) { $0.limit(to: $1) }
    }
}
