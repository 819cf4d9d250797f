import DeviceManager
import DeviceModel
import Glibc
import HALTestKit
import Logging
import Synchronization
import TestSupport

@testable import FileIntegrity

/// A folder whose files are watched by the real thread, on the real clock and with the real kernel.
final class WatchedTree: Sendable {
    let folder: TemporaryDirectory
    /// Where the files are that are watched.
    let tree: String
    /// The agent's state.
    let state: IntegrityFolder
    let monitor: IntegrityMonitor
    private let ears = Ears()
    private let ended = Mailbox<Void>(bound: 1, policy: .refuseNewest)

    /// - Parameters:
    ///   - interval: How often every file is looked at.
    ///   - mode: By what changes are noticed.
    ///   - response: What is done about a change.
    ///   - folder: Where everything is; nil: a new folder.
    ///   - isEnrolled: Whether a router knows of the device.
    ///   - paths: What is watched, from the folder on.
    ///   - prepare: Makes the files.
    /// - Throws: What `prepare` throws.
    init(
        interval: Duration = .seconds(3_600), mode: AgentConfiguration.Integrity.Mode = .inotify,
        response: IntegrityResponse = .alert, in folder: TemporaryDirectory? = nil,
        isEnrolled: Bool = false, paths: [String] = ["tree"], _ prepare: (WatchedTree) throws -> Void = { _ in }
    ) throws {
        self.folder = try folder ?? TemporaryDirectory()
        tree = self.folder.file("tree")
        mkdir(tree, 0o755)
        mkdir(self.folder.file("state"), 0o700)
        state = IntegrityFolder(self.folder.file("state"))
        let time = try SystemTime()
        monitor = try IntegrityMonitor(state, isConfigured: true, time: time)
        try prepare(self)
        let world = IntegrityWorker.World(
            settings: .init(paths: paths.map(self.folder.file), response: response, interval: interval, mode: mode),
            folder: state,
            isEnrolled: isEnrolled, disable: { [ears] reason in ears.commanded.withLock { $0.append(reason) } },
            enable: { [ears] in ears.commanded.withLock { $0.append(nil) } }, observe: { [ears] in ears.hear($0) },
            time: time,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        BlockingQueue(label: "test.integrity").start { [monitor, ended] in
            do {
                try IntegrityWorker(world, monitor: monitor)?.run()
            } catch {
                monitor.stop()
            }
            ended.finish()
        }
    }

    deinit { monitor.stop() }

    /// Lets the thread come to its end.
    func stop() async {
        monitor.stop()
        _ = await ended.next()
    }

    /// Does something that the thread wants to tell, and something else while it waits to be heard.
    func hold(after first: () -> Void, _ body: () -> Void) {
        ears.isDeaf.withLock { _ in
            ears.forget()
            first()
            while !ears.isSpokenTo.load(ordering: .acquiring) { sched_yield() }
            body()
        }
    }

    /// Waits until something is so; the time limit of the test ends the wait.
    func until(_ condition: () -> Bool) async throws {
        while !condition() {
            try Task.checkCancellation()
            await Task.yield()
        }
    }

    /// Waits until all files were looked at.
    func untilChecked() async throws {
        try await until { monitor.status.checked != nil }
    }

    /// Waits until a file is known to differ in a way.
    func until(_ name: String, is kind: FileChange.Kind) async throws {
        let path = path(name)
        try await until {
            self.monitor.snapshot?.changes.contains { $0.path == path && $0.kinds.contains(kind) } ?? false
        }
    }

    /// Events that were told, with what they say.
    var events: [(name: String, detail: String)] {
        ears.said.withLock { said in
            said.compactMap { if case .event(let event) = $0 { (event.name, event.detail ?? "") } else { nil } }
        }
    }

    /// Why the device was disabled, or nil for each time it was enabled, one after the other.
    var commands: [String?] { ears.commanded.withLock(\.self) }

    // MARK: Files

    func path(_ name: String) -> FilePath { name.isEmpty ? FilePath(tree) : FilePath("\(tree)/\(name)") }

    func file(_ name: String) -> String { "\(tree)/\(name)" }

    /// Writes a file anew.
    func write(_ name: String, _ text: String = "text", flags: Int32 = O_TRUNC) throws {
        let file = open(file(name), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0o644)
        guard file >= 0, Glibc.write(file, text, text.utf8.count) == text.utf8.count, close(file) == 0 else {
            throw HarnessError(description: "\(name) cannot be written: \(errorText(errno))")
        }
    }

    func folder(_ name: String) throws {
        guard mkdir(file(name), 0o755) == 0 else { throw HarnessError(description: errorText(errno)) }
    }
}

/// What the thread has said and done.
private final class Ears: Sendable {
    let said = Mutex<[Observation.Content]>([])
    let commanded = Mutex<[String?]>([])
    /// Held, the thread is heard by nobody, and waits.
    let isDeaf = Mutex<Void>(())
    let isSpokenTo = Atomic(false)

    func hear(_ content: Observation.Content) {
        isSpokenTo.store(true, ordering: .releasing)
        isDeaf.withLock { _ in }
        said.withLock { $0.append(content) }
    }

    /// Forgets what was said until now.
    func forget() { isSpokenTo.store(false, ordering: .releasing) }
}
