import CLinux
import DeviceManager
import DeviceModel
import Glibc
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Store
import UnixSignals

/// `m2m-agent run`: the agent, until a signal ends it.
struct RunCommand {
    let configurationFile: String

    func run() async throws -> ExitStatus {
        clinux_share_heap()
        // Until the end: whenever nobody trapped it, SIGHUP would kill this process.
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        let loaded: LoadedConfiguration
        do throws(ConfigurationMistakes) {
            loaded = try LoadedConfiguration.load(configurationFile)
        } catch {
            printError(error.description)
            printError("m2m-agent: nothing was started; mend the configuration and start again")
            return .failed
        }
        LoggingSystem.bootstrap { StandardErrorLog(label: $0) }
        var logger = Logger(label: "m2m-agent")
        logger.logLevel = loaded.agent.logLevel

        let folder = try StateDirectory(
            loaded.agent.stateDirectory, of: .init("agent", setting: "device.state_directory"))
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let time = try SystemTime()
        let supervisor = SystemdSupervisor(time: time)
        let wiring = try Wiring(
            loaded, folder: folder, supervisor: supervisor, time: time, group: group, logger: logger)
        let reload = ReloadService(
            loaded, file: configurationFile, on: hangups, manager: wiring.manager, supervisor: supervisor,
            logger: logger)
        logger.notice(
            "agent starts",
            metadata: ["version": "\(Version.current)", "device.id": "\(loaded.agent.id)", "pid": "\(getpid())"])
        var configuration = ServiceGroupConfiguration(
            // Whatever ends first, the outputs are left in order.
            services: (wiring.services + [reload, CodeReleaseService(time: time)]).map {
                .init(
                    service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup)
            },
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: quiet(logger))
        // Components have milliseconds to be safe, the store a moment to write; whoever takes longer is cut off.
        configuration.maximumGracefulShutdownDuration = .seconds(10)
        // A driver that hangs in the kernel can't be cancelled: then this process ends without it.
        configuration.maximumCancellationDuration = .seconds(5)
        let services = ServiceGroup(configuration: configuration)
        do {
            try await services.run()
        } catch {
            logger.critical("a part of the agent has failed; \(wiring.manager.farewell)")
            throw error
        }
        withExtendedLifetime((wiring, hangups)) {}
        try await group.shutdownGracefully()
        logger.notice("agent has stopped; \(wiring.manager.farewell)")
        return .done
    }

    /// The service group's own messages are for those who look for mistakes in it.
    private func quiet(_ logger: Logger) -> Logger {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        return quiet
    }
}
