import ArgumentParser
import Client
import DeviceModel
import Terminal
import Wire

struct CallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call", abstract: "Let a component do something.",
        discussion: "For example: m2m call greenhouse/heater on, or m2m call heater pulse duration=5s")

    @Argument(help: "[DEVICE/]COMPONENT")
    var address: ComponentAddress

    @Argument(help: "What it is to do; `m2m describe` lists what it can.")
    var action: String

    @Argument(help: "Parameters, as name=value.")
    var parameters: [String] = []

    @Option(help: "Within what time it has to be begun, 60s at most. (default: 10s)")
    var expires: TimeSpan?

    @OptionGroup var format: Format

    func validate() throws {
        if address.address.property != nil {
            throw ValidationError(
                "an action is done by a component, not by its property '\(address.address.property ?? "")'")
        }
        if address.address.component == nil {
            throw ValidationError("say which component is meant, as DEVICE/COMPONENT")
        }
        if let expires, expires.duration > Command.longestExpiry || expires.duration <= .zero {
            throw ValidationError("--expires must be from 1ms to \(Command.longestExpiry.text)")
        }
    }

    func run() async throws {
        var connection = try await Place.of(address.address)
        let values = parameters.isEmpty ? [:] : try await values(&connection)
        var generator = SystemRandomNumberGenerator()
        let call = CallRequest(
            id: CommandID(using: &generator), address: address.address, action: action, parameters: values,
            expiry: expires?.duration ?? Command.defaultExpiry)
        let items = try await connection.ask(.call(call))
        await connection.close()
        guard case .observation(let report)? = items.first, case .result(let result) = report.content else {
            throw ClientError(.internalFailure, "\(address.address)", "no result came")
        }
        if format.json { Output.line(Item.observation(report).json.text) }
        guard result.status == .done else {
            Output.error(
                "m2m: \(address.address) \(action): \(result.status.rawValue): \(result.reason ?? "no reason was given")"
            )
            throw ProgramExit(result.status == .unreachable ? .notReachable : .failed)
        }
        if !format.json { Output.line("\(address.address) \(action): \(Style.good.apply("done"))") }
    }

    /// The parameters as the component wants them: its description says of what type, and in which unit.
    private func values(_ connection: inout ClientConnection) async throws -> [String: Value] {
        guard case .description(let device)? = try await connection.ask(.describe(address.address)).first,
            let id = address.address.component, let component = device.component(id),
            let description = component.action(action)
        else {
            throw ClientError(
                .notFound, "\(address.address)",
                "\(address.address) has no action '\(action)'; `m2m describe` lists what it can")
        }
        var values: [String: Value] = [:]
        for parameter in parameters {
            let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw ValidationError("'\(parameter)' is no parameter: write name=value")
            }
            guard let known = description.parameters.first(where: { $0.name == parts[0] }) else {
                let names = description.parameters.map(\.name).joined(separator: ", ")
                throw ValidationError(
                    "\(action) takes no parameter '\(parts[0])'\(names.isEmpty ? "" : "; it takes \(names)")")
            }
            guard let value = Value(typed: parts[1], as: known.type, of: known.quantity) else {
                throw ValidationError("'\(parts[0])' needs \(known.expectation), not '\(parts[1])'")
            }
            values[parts[0]] = value
        }
        return values
    }
}
