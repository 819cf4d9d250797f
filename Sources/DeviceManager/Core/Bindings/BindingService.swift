import DeviceModel
import Logging
import ServiceLifecycle
import Synchronization

/// Turns events into commands, as the bindings say: on the same road as every other command.
final class BindingService: Service {
    private let bindings: Mutex<[Binding]>
    private let hub: ObservationHub
    private let commands: CommandRouter
    private let time: any TimeSource
    private let logger: Logger

    init(
        bindings: [Binding], hub: ObservationHub, commands: CommandRouter, time: any TimeSource, logger: Logger
    ) {
        self.bindings = Mutex(bindings)
        self.hub = hub
        self.commands = commands
        self.time = time
        self.logger = logger
    }

    /// These are the bindings from now on.
    func configure(_ bindings: [Binding]) {
        self.bindings.withLock { $0 = bindings }
    }

    func run() async throws {
        await withGracefulShutdownHandler {
            while let event = await hub.events.next() {
                let meant = bindings.withLock { $0.filter { $0.source == event.component && $0.event == event.name } }
                for binding in meant { give(binding) }
            }
        } onGracefulShutdown: { [hub] in
            hub.events.finish()
        }
    }

    private func give(_ binding: Binding) {
        var generator = SystemRandomNumberGenerator()
        let command = Command(
            id: CommandID(using: &generator), component: binding.target, action: binding.action,
            parameters: binding.parameters, deadline: time.now + Command.defaultExpiry,
            origin: .binding(binding.source))
        commands.submit(command) { [logger] result in
            guard result.status != .done else { return }
            logger.warning(
                "binding had no effect",
                metadata: [
                    "component.id": "\(binding.source)", "event": "\(binding.event)",
                    "command": "\(binding.target) \(binding.action)", "reason": "\(result.reason ?? "")",
                ])
        }
    }
}
