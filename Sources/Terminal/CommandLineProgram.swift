public import ArgumentParser
public import DeviceModel

/// Runs a command line program and ends it with the exit status that all programs of this project share.
public enum CommandLineProgram {
    /// Parses the command line, runs the command, and exits.
    ///
    /// - Parameters:
    ///   - root: The program's root command.
    ///   - name: The program's name, for messages.
    public static func main(_ root: any ParsableCommand.Type, name: String) async -> Never {
        do {
            var command = try root.parseAsRoot()
            if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
        } catch {
            exit(with: error, root, name)
        }
        Output.flush()
        exit(.done)
    }

    private static func exit(with error: any Error, _ root: any ParsableCommand.Type, _ name: String) -> Never {
        if let error = error as? ProgramExit { exit(error.status) }
        if let error = error as? any ExplainedError {
            Output.error("\(name): \(error.description)")
            exit(error.code.exitStatus)
        }
        let message = root.fullMessage(for: error)
        switch root.exitCode(for: error) {
        case .success:  // help and the version are asked for
            Output.line(message)
            exit(.done)
        case .validationFailure:
            Output.error(message)
            exit(.usage)
        default:
            Output.error("\(name): \(error.explanation)")
            exit(.failed)
        }
    }

    private static func exit(_ status: ExitStatus) -> Never {
        Output.exit(status)
    }
}

/// Everything that is to be said has been said: this is only how the program ends.
public struct ProgramExit: Error {
    let status: ExitStatus

    /// - Parameter status: How the program ends.
    public init(_ status: ExitStatus) {
        self.status = status
    }
}
