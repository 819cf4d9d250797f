import DeviceManager
import DeviceModel
import Link
import NIOCore
import NIOPosix

/// `m2m-agent rotate`: gives this device another key.
struct RotateCommand {
    let configurationFile: String

    func run() async throws -> ExitStatus {
        let agent = try LoadedConfiguration.load(configurationFile).agent
        guard let router = agent.router else {
            throw EnrolmentProblem("\(configurationFile) has no [router], and without one there is no key to change")
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let rotation = KeyRotation(
            device: agent.id, access: RouterAccess(router, stateDirectory: agent.stateDirectory),
            time: try SystemTime(), group: group, software: M2MAgent.software)
        let fingerprint = try await rotation.run()
        try await group.shutdownGracefully()
        print("\(agent.id) has another key now; its fingerprint is")
        print("    \(fingerprint)")
        return .done
    }
}
