import DeviceManager
import DeviceModel
import HALTestKit
import TestSupport
import Testing

@testable import FileIntegrity

@Suite(.timeLimit(.minutes(1))) struct IntegrityMonitorTests {
    private let time = ManualTime()
    private let folder: TemporaryDirectory
    private let monitor: IntegrityMonitor

    init() throws {
        folder = try TemporaryDirectory()
        monitor = try IntegrityMonitor(IntegrityFolder(folder.path), isConfigured: true, time: time)
    }

    @Test("Whoever brings an order hears within 15 s why it is not done, when a look does not come to an end")
    func hangs() async throws {
        _ = monitor.looks(at: FilePath("/mnt/dead"))
        async let outcome = monitor.heed(.window(.seconds(60)))
        await time.untilSleepers()
        time.advance(by: .seconds(15))
        #expect(await outcome.status == .unknown)
        #expect(await outcome.reason?.contains("the look at /mnt/dead does not come to an end") == true)
    }

    @Test("Whoever brings an order when 16 wait, or when the agent ends, is told so")
    func refused() async {
        await withTaskGroup(of: CommandOutcome.self) { orders in
            for _ in 0..<17 { orders.addTask { [monitor] in await monitor.heed(.enable(nil)) } }
            #expect(await orders.next()?.reason == "the agent is stopping, or busy")
            monitor.stop()
            for await outcome in orders { #expect(outcome.reason == "the agent is stopping") }
        }
        #expect(await monitor.heed(.enable(nil)).status == .refused)
    }
}
