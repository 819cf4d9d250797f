import DeviceModel
import Logging
import ServiceLifecycle

/// Turns events into commands, as the bindings say: on the same road as every other command.
struct BindingService: Service {
    let bindings: [Binding]
    let hub: ObservationHub
    let commands: CommandRouter
    let time: any TimeSource
    let logger: Logger

    func run() async throws {
        await withGracefulShutdownHandler {
            while let event = await hub.events.next() {
                for binding in bindings where binding.source == event.component && binding.event == event.name {
                    give(binding)
                }
            }
        } onGracefulShutdown: {
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
