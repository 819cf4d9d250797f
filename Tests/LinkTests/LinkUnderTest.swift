import DeviceManager
import DeviceModel
import HALTestKit
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import Link

/// A clock that tells who sleeps, and how the link was then.
final class WatchedTime: TimeSource {
    struct Pause: Sendable {
        var length: Duration
        var link: LinkStatus?
    }

    let clock = ManualTime()
    let pauses = Mailbox<Pause>(bound: 10_000, policy: .refuseNewest)
    private let link = Mutex<LinkMonitor?>(nil)

    var now: MonotonicTime { clock.now }
    var wall: WallTime { clock.wall }
    var isWallSynchronised: Bool { clock.isWallSynchronised }
    var boot: BootID { clock.boot }

    func watch(_ monitor: LinkMonitor) {
        link.withLock { $0 = monitor }
    }

    func sleep(until deadline: MonotonicTime) async throws {
        pauses.send(Pause(length: deadline - now, link: link.withLock { $0?.status }))
        try await clock.sleep(until: deadline)
    }

    /// The pause after the next try that failed.
    ///
    /// A session sleeps, too, also while it is tidied up; but never while there is one more failure than before.
    func nextFailure(after failures: Int) async throws -> Pause {
        while let pause = await pauses.next() {
            guard let link = pause.link, link.state == .reconnecting else { continue }
            if link.failedAttempts > 0, link.failedAttempts != failures { return pause }
        }
        throw HarnessError(description: "nothing failed")
    }
}

/// A device whose link runs while a test looks at it.
struct LinkUnderTest {
    let folder: TemporaryDirectory
    let time = WatchedTime()

    init() throws {
        folder = try TemporaryDirectory()
    }

    /// Runs nothing but the link, with these keys of `[router]`.
    ///
    /// - Parameters:
    ///   - settings: The keys.
    ///   - waiting: What has waited for the router.
    ///   - body: The test.
    /// - Throws: What the test throws.
    func run(
        _ settings: String, waiting: [Observation] = [],
        _ body: @escaping @Sendable (LinkMonitor) async throws -> Void
    ) async throws {
        let device = try LinkedDevice(folder, router: settings, clock: time.clock, time: time)
        if !waiting.isEmpty { _ = try await device.manager.outbox.append(waiting, lost: []) }
        let link = device.manager.link
        try await runServices([service(of: device)]) { try await body(link) }
        #expect(link.status?.state == .closed)
    }

    /// The link of a device.
    func service(of device: LinkedDevice) throws -> LinkService {
        time.watch(device.manager.link)
        let access = RouterAccess(try #require(device.configuration.router), stateDirectory: folder.path)
        return LinkService(
            device.manager, access: access, group: .singletonMultiThreadedEventLoopGroup, logger: LinkedDevice.logger)
    }

    @discardableResult
    func makeKey() throws -> DeviceKey {
        try DeviceKey.create(folder.file("device.key"))
    }
}

extension LinkMonitor {
    /// Waits until the link is in a state.
    func until(_ state: LinkState) async {
        while status?.state != state, !Task.isCancelled { await Task.yield() }
    }
}
