import CKeeper
import DeviceManager
import DeviceModel
import HAL
import HALTestKit
import Synchronization
import TestSupport
import Testing

@testable import Keeper

/// Promises that whatever comes from the keeper's socket, the agent goes on: it may learn nothing, but it does not die.
@Suite(.serialized, .timeLimit(.minutes(1))) struct KeeperGarbageTests {
    private static func bytes(_ report: keeper_report) -> [UInt8] {
        withUnsafeBytes(of: report) { Array($0) }
    }

    /// A report that is none, or one of which every field is wrong.
    private static func garbage(_ order: keeper_order, _ generator: inout SeededGenerator) -> [UInt8] {
        let size = MemoryLayout<keeper_report>.size
        let count = Bool.random(using: &generator) ? size : Int.random(in: 1...(2 * size), using: &generator)
        var bytes = (0..<count).map { _ in UInt8.random(in: 0...(.max), using: &generator) }
        guard count == size, Int.random(in: 0..<4, using: &generator) > 0 else { return bytes }
        // As far as its head: that of an answer, or of news.
        var report = bytes.withUnsafeBytes { $0.loadUnaligned(as: keeper_report.self) }
        let isNews = Bool.random(using: &generator)
        report.version = UInt16(KEEPER_PROTOCOL_VERSION)
        report.type = isNews ? UInt16(KEEPER_NEWS.rawValue) : order.type
        report.sequence = isNews ? 0 : order.sequence
        if Bool.random(using: &generator) { report.output = order.output }
        if Bool.random(using: &generator) { report.cause %= 7 }
        if Bool.random(using: &generator) { report.status = 0 }
        bytes = Self.bytes(report)
        return bytes
    }

    @Test("Hundreds of rounds of nonsense are survived, and what they break is told")
    func nonsense() async throws {
        let folder = try TemporaryDirectory()
        let time = ManualTime()
        let holder = KeeperBench.holder(in: folder, time: time)
        let plan = KeeperBench.plan(5)
        let state = Mutex((generator: SeededGenerator(seed: 11), count: 0))
        let table = Mutex<UInt64>(0)
        let fake = try FakeKeeper(at: folder.file("keeper.sock")) { order in
            state.withLock { state in
                state.count += 1
                // Often enough the truth, so that the agent gets further than the greeting.
                if order.type <= UInt16(KEEPER_ADOPT.rawValue), Int.random(in: 0..<3, using: &state.generator) > 0 {
                    var report = keeper_report()
                    report.version = UInt16(KEEPER_PROTOCOL_VERSION)
                    (report.type, report.sequence, report.output) = (order.type, order.sequence, order.output)
                    report.table = table.withLock(\.self)
                    report.is_held = order.type == UInt16(KEEPER_HELLO.rawValue) ? 0 : 1  // of others, of its own
                    return [Self.bytes(report)]
                }
                return (0..<Int.random(in: 1...3, using: &state.generator)).map { _ in
                    Self.garbage(order, &state.generator)
                }
            }
        }
        defer { fake.end() }
        let row = KeeperTable.Row(
            id: "heater", plan: plan, line: LineID(chip: "simulated-header", offset: 5, name: "GPIO5"))
        table.withLock { $0 = KeeperTable([row]).checksum }
        holder.configure(["heater": plan])
        let life = Task { await holder.run() }
        let driver = Task {
            while state.withLock(\.count) < 300, !Task.isCancelled {
                do throws(HALError) {
                    let output = try await holder.take("heater", plan)
                    _ = try await output.drive(.active, until: nil, notAfter: nil)
                    holder.beat()
                } catch {
                    #expect(!error.description.isEmpty)
                }
            }
        }
        await withTaskCancellationHandler {
            await time.passing(by: .seconds(1)) { await driver.value }
        } onCancel: {
            driver.cancel()
        }
        life.cancel()
        await life.value
        #expect(state.withLock(\.count) >= 300)
    }

    @Test("An output whose line is not there asks again and again, and the keeper hears nothing of that")
    func missingLine() async throws {
        let folder = try TemporaryDirectory()
        let holder = KeeperBench.holder(in: folder, time: ManualTime())
        let state = Mutex((hellos: 0, table: UInt64(0)))
        let fake = try FakeKeeper(at: folder.file("keeper.sock")) { order in
            var report = keeper_report()
            report.version = UInt16(KEEPER_PROTOCOL_VERSION)
            (report.type, report.sequence, report.output) = (order.type, order.sequence, order.output)
            let isHello = order.type == UInt16(KEEPER_HELLO.rawValue)
            report.table = state.withLock { state in
                state.hellos += isHello ? 1 : 0
                return state.table
            }
            report.is_held = isHello ? 0 : 1
            return [Self.bytes(report)]
        }
        defer { fake.end() }
        let (plan, missing) = (KeeperBench.plan(5), KeeperBench.plan(999))
        let row = KeeperTable.Row(
            id: "heater", plan: plan, line: LineID(chip: "simulated-header", offset: 5, name: "GPIO5"))
        state.withLock { $0.table = KeeperTable([row]).checksum }
        holder.configure(["heater": plan, "lamp": missing])
        let life = Task { await holder.run() }
        await holder.settled()
        let before = state.withLock(\.hellos)
        for _ in 0..<50 {
            await #expect(throws: HALError.self) { _ = try await holder.take("lamp", missing) }
            _ = try await holder.take("heater", plan)
        }
        #expect(state.withLock(\.hellos) == before)
        life.cancel()
        await life.value
    }

    @Test("While a keeper takes its time with a new table, nobody is told that there is none")
    func slowTable() async throws {
        let folder = try TemporaryDirectory()
        let holder = KeeperBench.holder(in: folder, time: ManualTime())
        let reloads = Mailbox<Void>(bound: 1, policy: .refuseNewest)
        let fake = try FakeKeeper(at: folder.file("keeper.sock")) { order in
            guard order.type == UInt16(KEEPER_HELLO.rawValue) else {
                reloads.send(())
                return []
            }
            var report = keeper_report()
            report.version = UInt16(KEEPER_PROTOCOL_VERSION)
            (report.type, report.sequence) = (order.type, order.sequence)
            return [Self.bytes(report)]
        }
        defer { fake.end() }
        #expect(holder.notes.first?.contains("was not asked yet") == true)
        holder.configure(["heater": KeeperBench.plan(5)])
        let life = Task { await holder.run() }
        await reloads.next()
        #expect(holder.notes.count == 1)
        #expect(holder.notes.first?.contains("it is being told of the outputs; try again") == true)
        life.cancel()
        await life.value
    }

    @Test("A report of another size or version is none")
    func noReport() {
        var report = keeper_report()
        report.version = UInt16(KEEPER_PROTOCOL_VERSION)
        let bytes = Self.bytes(report)
        func read(_ bytes: [UInt8]) throws { _ = try bytes.withUnsafeBytes { try KeeperReport($0) } }
        #expect(throws: Never.self) { try read(bytes) }
        for size in [0, 1, bytes.count - 1] {
            #expect(throws: HALError.self) { try read(Array(bytes.prefix(size))) }
        }
        #expect(throws: HALError.self) { try read(bytes + [0]) }
        report.version += 1
        let error = #expect(throws: HALError.self) { try read(Self.bytes(report)) }
        #expect(error?.description.contains("have agent and keeper of one release") == true)
    }

    @Test("The least of all numbers as a status is an error like others")
    func leastStatus() async {
        await #expect(processExitsWith: .success) {
            var report = keeper_report()
            report.version = UInt16(KEEPER_PROTOCOL_VERSION)
            report.status = .min
            let number = withUnsafeBytes(of: report) { try? KeeperReport($0).errno }  // safe: nil is what fails
            precondition(number != nil && number != 0)
        }
    }
}
