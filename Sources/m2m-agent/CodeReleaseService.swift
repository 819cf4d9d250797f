import CLinux
import DeviceManager
import DeviceModel
import ServiceLifecycle

/// Lets go of the code that has run once and is not needed any more: most of it begins, connects or ends something.
///
/// It is the largest part of the agent's memory by far, and comes back where it is used.
/// Docs/Decisions/0030-what-the-agent-weighs.md has the figures.
struct CodeReleaseService: Service {
    let time: any TimeSource
    /// By then everything has begun.
    private static let beginning: Duration = .seconds(30)
    private static let interval: Duration = .seconds(3_600)

    func run() async throws {
        try await untilGracefulShutdown {
            try await time.sleep(until: time.now + Self.beginning)
            while true {
                clinux_let_go_of_code()
                try await time.sleep(until: time.now + Self.interval)
            }
        }
    }
}
