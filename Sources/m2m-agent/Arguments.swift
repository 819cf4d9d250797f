import DeviceManager

/// What was typed on the command line.
struct Arguments {
    /// What is to be done.
    enum Command {
        case run
        case check(probe: Bool, json: Bool)
        case enroll(claim: String?, account: String?)
        case rotate
        case configText
        case doctor(json: Bool)
        case version
        case help
    }

    /// What is to be done.
    let command: Command
    /// The configuration file that was named; nil: none was.
    let namedConfiguration: String?

    /// The configuration file.
    var configuration: String { namedConfiguration ?? AgentConfiguration.usualFile }

    static let usage = """
        usage: m2m-agent run      [--config FILE]
               m2m-agent check    [--config FILE] [--probe] [--json]
               m2m-agent enroll   [--config FILE] [--claim CODE] [--account NAME]
               m2m-agent rotate   [--config FILE]
               m2m-agent config-txt [--config FILE]
               m2m-agent doctor   [--config FILE] [--json]
               m2m-agent version | help

          run         runs the agent until it gets SIGTERM or SIGINT; SIGHUP applies a changed configuration
          check       lists every mistake of the configuration; --probe also looks at the hardware
          enroll      makes this device known to its router: with the code that `m2m claim DEVICE` shows,
                      or, without one, by waiting until the owner has accepted it with `m2m accept DEVICE`
          rotate      gives this device another key, which the router takes from the one it has
          config-txt  prints the lines of a Raspberry Pi's config.txt that make the outputs safe at power-on
          doctor      says what is wrong with this device, why, and what cures it; `m2m doctor` is the same

        The configuration is /etc/m2m-agent/agent.toml unless --config names another.
        """

    /// Reads the arguments.
    ///
    /// - Parameter arguments: What was typed, without the program's name.
    /// - Throws: ``UsageError`` when it makes no sense.
    init(_ arguments: some Sequence<String>) throws(UsageError) {
        var words = Array(arguments)
        guard !words.isEmpty else { throw UsageError("say what to do") }
        let name = words.removeFirst()
        var options = Options(words)
        namedConfiguration = try options.value(of: "--config")
        switch name {
        case "run": command = .run
        case "check": command = .check(probe: options.flag("--probe"), json: options.flag("--json"))
        case "enroll":
            command = .enroll(claim: try options.value(of: "--claim"), account: try options.value(of: "--account"))
        case "rotate": command = .rotate
        case "config-txt": command = .configText
        case "doctor": command = .doctor(json: options.flag("--json"))
        case "version", "--version": command = .version
        case "help", "--help", "-h": command = .help
        default: throw UsageError("there is no command '\(name)'")
        }
        if let rest = options.rest { throw UsageError("'\(rest)' makes no sense here") }
    }
}

/// A command line that makes no sense.
struct UsageError: Error {
    let words: String

    init(_ words: String) {
        self.words = words
    }
}

/// Options that are taken out one by one, so that what is left over is wrong.
private struct Options {
    private var words: [String]

    init(_ words: [String]) {
        self.words = words
    }

    var rest: String? { words.first }

    mutating func flag(_ name: String) -> Bool {
        guard let index = words.firstIndex(of: name) else { return false }
        words.remove(at: index)
        return true
    }

    /// The value of `--name VALUE` or `--name=VALUE`.
    mutating func value(of name: String) throws(UsageError) -> String? {
        if let index = words.firstIndex(where: { $0.hasPrefix("\(name)=") }) {
            return String(words.remove(at: index).dropFirst(name.count + 1))
        }
        guard let index = words.firstIndex(of: name) else { return nil }
        guard index + 1 < words.count else { throw UsageError("'\(name)' needs a value") }
        words.remove(at: index)
        return words.remove(at: index)
    }
}
