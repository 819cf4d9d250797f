import ArgumentParser
import Client
import DeviceModel
import Terminal
import Wire

struct CallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call", abstract: "Let a component do something.",
        discussion: """
            For example: m2m call greenhouse/heater on, or m2m call heater pulse duration=5s

            An output stays as it was told, and anybody may switch it, unless it is held by a lease: until that ends \
            nobody else may switch it away from safe, and then it is made safe. With --lease this command ends at once, \
            with --hold it goes on, and renews a lease of \(Hold.duration.text) every \(Hold.interval.text).
            """)

    @Argument(help: "[DEVICE/]COMPONENT")
    var address: ComponentAddress

    @Argument(help: "What it is to do; `m2m describe` lists what it can.")
    var action: String

    @Argument(help: "Parameters, as name=value.")
    var parameters: [String] = []

    @Option(help: "Within what time it has to be begun, 60s at most. (default: 10s)")
    var expires: TimeSpan?

    @Option(help: "Hold the output for so long, such as 30s, and make it safe then.")
    var lease: TimeSpan?

    @Flag(help: "Hold the output until Ctrl-C, and make it safe then.")
    var hold = false

    @OptionGroup var format: Format

    func validate() throws {
        if address.address.property != nil {
            throw ValidationError(
                "an action is done by a component, not by its property '\(address.address.property ?? "")'")
        }
        if address.address.component == nil {
            throw ValidationError("say which component is meant, as DEVICE/COMPONENT")
        }
        if let expires, expires.duration > Command.longestExpiry || expires.duration < .milliseconds(1) {
            throw ValidationError("--expires must be from 1ms to \(Command.longestExpiry.text)")
        }
        if hold, lease != nil {
            throw ValidationError(
                "--hold and --lease don't go together: a hold lasts until Ctrl-C, a lease for a time that is said before"
            )
        }
        if let lease, !Lease.durations.contains(lease.duration) {
            throw ValidationError(
                "--lease must be from \(Lease.durations.lowerBound.text) to \(Lease.durations.upperBound.text)")
        }
    }

    func run() async throws {
        let begin = SystemTime.monotonic
        var connection = try await Place.of(address.address)
        let values = parameters.isEmpty ? [:] : try await values(&connection)
        var generator = SystemRandomNumberGenerator()
        let call = CallRequest(
            id: CommandID(using: &generator), address: address.address, action: action, parameters: values,
            expiry: try rest(since: begin), lease: claim(&generator))
        guard hold, let lease = call.lease else {
            try await perform(call, &connection)
            return await connection.close()
        }
        let signals = await HoldSignals(for: "\(address.address) \(action)")
        try await perform(call, &connection)
        try await HeldOutput(call, lease, until: signals, isJSON: format.json).hold(connection)
    }

    /// How long it may still take to be begun; throws where it took too long to get here.
    private func rest(since begin: MonotonicTime) throws -> Duration {
        let expiry = expires?.duration ?? Command.defaultExpiry
        let rest = expiry - (SystemTime.monotonic - begin)
        guard rest >= .milliseconds(1) else {
            Output.error(
                "m2m: \(address.address) \(action): expired: whoever does it was not reached within \(expiry.text); "
                    + "nothing was done")
            throw ProgramExit(.failed)
        }
        return rest
    }

    /// The claim that is made on the output; nil: none.
    private func claim(_ generator: inout some RandomNumberGenerator) -> Lease? {
        guard let duration = hold ? Hold.duration : lease?.duration else { return nil }
        return Lease(id: LeaseID(using: &generator), duration: duration, isRenewed: hold)
    }

    /// Gives the command, and says how it ended; throws unless it was done.
    private func perform(_ call: CallRequest, _ connection: inout ClientConnection) async throws {
        let report = try await report(of: call, &connection)
        guard case .result(let result) = report.content else {
            throw ClientError(.internalFailure, "\(address.address)", "no result came")
        }
        let end = try (lease?.duration).map { try SystemTime().wall + $0 }
        let isDone = result.status == .done
        if format.json {
            var object = Item.observation(report).json
            if isDone, let end { object.add("held_until", end.rfc3339) }
            Output.line(object.text)
        }
        guard isDone else {
            let reason = result.reason ?? "no reason was given"
            let hint = hint(call, result.status)
            Output.error("m2m: \(address.address) \(action): \(result.status.rawValue): \(reason)\(hint)")
            throw ProgramExit(result.status == .unreachable ? .notReachable : .failed)
        }
        guard !format.json else { return }
        let held =
            if hold {
                ", held until Ctrl-C"
            } else if let end, let lease {
                ", held until \(LocalTime.text(end)) (for \(lease.duration.text)), then safe"
            } else {
                ""
            }
        Output.line("\(address.address) \(action): \(Style.good.apply("done"))\(held)")
    }

    /// The result; where none comes, says that nobody knows whether it was done.
    private func report(
        of call: CallRequest, _ connection: inout ClientConnection
    ) async throws -> ReportedObservation {
        let problem: String
        do {
            if case .observation(let report)? = try await connection.ask(.call(call)).first { return report }
            problem = "no result came"
        } catch let refusal as Failure {
            throw refusal
        } catch let error as ClientError where error.code == .unsupported {
            throw error  // whoever does not know what a call is has done nothing
        } catch let error as any ExplainedError {
            // Whatever went wrong on the way, the command may have arrived.
            problem = (error as? NoAnswer)?.fact ?? error.description
        }
        let reason = "\(problem); it may have been done"
        if format.json { Output.line(call.json(.unknown, reason).text) }
        Output.error("m2m: \(address.address) \(action): unknown: \(reason)\(hint(call, .unknown))")
        throw ProgramExit(.failed)
    }

    /// What is sure, though nobody knows whether the command was done.
    private func hint(_ call: CallRequest, _ status: CommandStatus) -> String {
        guard status == .unknown, let lease = call.lease else { return "" }
        return "; if it was, the output is safe again within \(lease.duration.text)"
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

extension CallRequest {
    /// How it ended, as programs read it.
    func json(_ status: CommandStatus, _ reason: String? = nil) -> JSONObject {
        JSONObject(
            id: id, device: address.device, component: address.component, action: action,
            CommandOutcome(status, reason))
    }
}
