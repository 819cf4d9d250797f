import ArgumentParser
import DeviceModel
import Glibc
import Logging
import Router
import ServiceLifecycle
import Terminal
import UnixSignals

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the router until SIGTERM or SIGINT.")

    @Option(name: .customLong("config"), help: "The configuration file.")
    var file: String?

    @Option(help: "Where to listen, as HOST:PORT. (default: 127.0.0.1:8443)")
    var listen: ListenAddress?

    @Option(help: "The folder with the database and the certificates. (default: /var/lib/m2m-router)")
    var data: String?

    func run() async throws {
        var configuration = try file.map { try RouterConfiguration($0) } ?? RouterConfiguration()
        if let listen { configuration.settings.address = listen.address }
        if let data { configuration.settings.dataDirectory = data }
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "m2m-router")
        logger.logLevel = configuration.logLevel

        useAllDescriptors(logger)
        let settings = configuration.settings
        let announcement = Announcement()
        let router = try RouterService(settings, time: try SystemTime(), logger: logger) { port in
            announcement.make(RouterAddress(host: settings.address.host, port: port))
        }
        announcement.set(caFile: router.caFile, fingerprint: router.caFingerprint)
        var group = ServiceGroupConfiguration(
            services: [.init(service: router)], gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet(logger))
        group.maximumGracefulShutdownDuration = .seconds(10)
        try await ServiceGroup(configuration: group).run()
        logger.notice("router has stopped")
    }

    /// Every connection is a descriptor, and systemd and shells let a program have few of them unless it asks
    /// (0pointer.net/blog/file-descriptor-limits.html).
    private func useAllDescriptors(_ logger: Logger) {
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(files, &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(files, &limit)
        guard getrlimit(files, &limit) == 0, limit.rlim_cur < RouterService.connectionBound + 64 else { return }
        logger.warning(
            "there are fewer descriptors than connections; raise `ulimit -n`, or LimitNOFILE= in the service file",
            metadata: ["descriptors": "\(limit.rlim_cur)", "connections": "\(RouterService.connectionBound)"])
    }

    private func quiet(_ logger: Logger) -> Logger {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        return quiet
    }
}
