import DeviceModel
import HALTestKit
import TestSupport
import Testing

@testable import Store

/// Whatever was reported as stored is there after the process was killed or the power was cut, at whatever moment.
@Suite(.serialized, .timeLimit(.minutes(10))) struct PowerCutTests {
    /// Lives lives each of which ends at another operation, and looks what is there in the next.
    private func live(seed: UInt64, _ plan: (SimulatedDisk, UInt64) -> Void) async throws {
        let undisturbed = SimulatedDisk()
        try await StoreLife(disk: undisturbed, .over).live()
        let count = undisturbed.operations
        #expect(count > 100, "hardly anything was written: this life proves nothing")
        var faults: [String] = []
        for number in 1...count {
            let disk = SimulatedDisk(seed: seed)
            plan(disk, number)
            let life = StoreLife(disk: disk, .over)
            try await life.live()
            try await life.look()
            faults += life.faults.map { "\(number): \($0)" }
        }
        #expect(faults == [])
    }

    @Test("the process is killed after each operation")
    func killed() async throws {
        try await live(seed: 0) { $0.crash(at: $1) }
    }

    @Test("the power is cut in the middle of each operation", arguments: 1...3)
    func powerCut(seed: UInt64) async throws {
        try await live(seed: seed) { $0.cutPower(at: $1) }
    }
}
