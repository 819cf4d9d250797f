import ConfigurationSchema
import DeviceManager
import DeviceModel
import Logging
import ServiceLifecycle
import UnixSignals

/// Applies a changed configuration when the agent gets SIGHUP: wholly or not at all.
struct ReloadService: Service {
    /// SIGHUP, trapped before the configuration was read: no change is missed, and none ends the agent instead.
    let hangups: UnixSignalsSequence
    let configurationFile: String
    let manager: DeviceManager
    let supervisor: any Supervisor
    let logger: Logger
    /// What is in force.
    private let current: LoadedConfiguration
    /// Where files are read.
    private let reader = BlockingQueue(label: "m2m.configuration")

    init(
        _ loaded: LoadedConfiguration, file: String, on hangups: UnixSignalsSequence, manager: DeviceManager,
        supervisor: any Supervisor, logger: Logger
    ) {
        self.hangups = hangups
        current = loaded
        configurationFile = file
        self.manager = manager
        self.supervisor = supervisor
        self.logger = logger
    }

    func run() async throws {
        try await untilGracefulShutdown {
            // However many come while a configuration is being looked at, they ask for one more look.
            let wanted = Mailbox<Void>(bound: 1, policy: .refuseNewest)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await _ in hangups { wanted.send(()) } }
                var current = current
                while await wanted.next() != nil {
                    supervisor.tell(.reloading)
                    await reload(&current)
                    supervisor.tell(.reloaded)
                }
                group.cancelAll()
            }
        }
    }

    private func reload(_ current: inout LoadedConfiguration) async {
        do throws(ConfigurationMistakes) {
            let file = configurationFile
            let loaded = try await reader.run { () throws(ConfigurationMistakes) in try LoadedConfiguration.load(file) }
            guard let new = loaded else { return }  // the agent stops
            let fixed = Self.fixedTables(from: current, to: new)
            guard fixed.isEmpty else {
                let words = "what has changed in \(fixed.joined(separator: ", ")) needs a restart of the agent"
                throw ConfigurationMistakes(findings: [], sentence: "\(configurationFile): \(words)")
            }
            await manager.apply(new.agent)
            current = new
            logger.notice("changed configuration is applied", metadata: ["path": "\(configurationFile)"])
        } catch {
            for line in error.description.split(separator: "\n") {
                logger.error("changed configuration is refused", metadata: ["reason": "\(line)"])
            }
            logger.warning("the agent goes on with the configuration that it had")
        }
    }

    /// The tables that have changed, and of which the agent makes something at its start only.
    static func fixedTables(from old: LoadedConfiguration, to new: LoadedConfiguration) -> [String] {
        let (before, after) = (old.agent, new.agent)
        let changes = [
            ("[device]", before.id != after.id || before.stateDirectory != after.stateDirectory),
            ("[router]", before.router != after.router), ("[local]", before.local != after.local),
            ("[board]", before.boardKind != after.boardKind || before.scenario != after.scenario),
            ("[keeper]", before.keeper != after.keeper), ("[store]", before.store != after.store),
            ("[integrity]", before.integrity != after.integrity), ("[log]", before.logLevel != after.logLevel),
        ]
        return changes.filter(\.1).map(\.0)
    }
}
