import DeviceManager
import DeviceModel
import Glibc
import Synchronization

/// systemd as the agent's supervisor, where it has started it with `Type=notify`: sd_notify(3), which is a datagram.
final class SystemdSupervisor: Supervisor {
    /// Where it listens; nil: it does not, or somebody else started the agent.
    private let socket: String?
    /// The device's own clock.
    private let now: @Sendable () -> MonotonicTime
    /// `WatchdogSec=` of the unit.
    let watchdogPeriod: Duration?
    /// Whether it knows that the agent works; before that it must not take the end of a reload for it.
    private let isReady = Mutex(false)

    /// What is said once, for a supervisor that is slow: 8 of it; the oldest goes when one more comes.
    private let unsaid = Mailbox<String>(bound: 8, policy: .dropOldest)
    /// Where one is said after the other.
    private let patient = BlockingQueue(label: "m2m.systemd")
    /// Whether somebody is at that.
    private let isSpeaking = Mutex(false)

    /// A sign of life more often than this would keep the machine busy with nothing else.
    private static let shortestPeriod: Duration = .milliseconds(300)

    /// - Parameters:
    ///   - now: The device's own clock.
    ///   - process: This process: a watchdog may be meant for another one.
    ///   - environment: A variable of the environment.
    init(
        now: @escaping @Sendable () -> MonotonicTime, process: Int32 = getpid(),
        environment: (String) -> String?
    ) {
        self.now = now
        socket = environment("NOTIFY_SOCKET")
        let isMeant = environment("WATCHDOG_PID").map { Int32($0) == process } ?? true
        let microseconds = environment("WATCHDOG_USEC").flatMap { Int64($0) }.flatMap { $0 > 0 ? $0 : nil }
        let period = microseconds.map { max(Duration.microseconds($0), Self.shortestPeriod) }
        watchdogPeriod = isMeant && socket != nil ? period : nil
    }

    /// What the process's own environment says.
    convenience init(time: SystemTime) {
        self.init {
            time.now
        } environment: { name in
            getenv(name).map { String(cString: $0) }
        }
    }

    func tell(_ news: SupervisorNews) {
        switch news {
        case .ready:
            isReady.withLock { $0 = true }
            sendPatiently(Self.works)
        case .alive: send("WATCHDOG=1", isPatient: false)
        case .reloading:
            // Type=notify-reload wants to know when it began, on the monotonic clock.
            if isReady.withLock(\.self) { sendPatiently("RELOADING=1\nMONOTONIC_USEC=\(now().nanoseconds / 1_000)") }
        case .reloaded: if isReady.withLock(\.self) { sendPatiently(Self.works) }
        case .stopping: sendPatiently("STOPPING=1\nSTATUS=makes its outputs safe")
        }
    }

    private static let works = "READY=1\nSTATUS=works"

    /// Sends what is said once, and gives a supervisor 10 s that has not yet read what was sent before.
    private func sendPatiently(_ text: String) {
        unsaid.send(text)
        let isAlone = isSpeaking.withLock { isSpeaking in
            defer { isSpeaking = true }
            return !isSpeaking
        }
        if isAlone { patient.start { [self] in speak() } }
    }

    /// Sends what waits, until nothing does.
    private func speak() {
        while let text = isSpeaking.withLock({ isSpeaking in
            let text = unsaid.takeIfWaiting()
            isSpeaking = text != nil
            return text
        }) { send(text, isPatient: true) }
    }

    /// Sends a datagram; where nobody listens, that is nobody's loss.
    private func send(_ text: String, isPatient: Bool) {
        guard let socket, socket.utf8.count > 1 else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(socket.utf8)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }  // a name without a file
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = MemoryLayout<sa_family_t>.size + name.count
        let file = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { return }
        defer { close(file) }
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let bytes = Array(text.utf8)
        withUnsafeBytes(of: &address) {
            _ = sendto(
                file, bytes, bytes.count, Int32(MSG_NOSIGNAL) | (isPatient ? 0 : Int32(MSG_DONTWAIT)),
                $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(length))
        }
    }
}
