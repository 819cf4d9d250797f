public import ConfigurationSchema
import DeviceModel
import Logging

/// The keys of `agent.toml`, but for those of the components' models.
public enum AgentKeys {
    /// Who the device is.
    public static let device = TableSchema([id, label, stateDirectory])
    static let id = Key.required("id", .deviceID, "The device's name, unique in its owner's space.")
    static let label = Key<String?>.optional("label", .nonEmptyString, "What people call it.")
    static let stateDirectory = Key.optional(
        "state_directory", .path, default: "/var/lib/m2m-agent", shown: "\"/var/lib/m2m-agent\"",
        "Where the store and the device's key are.")

    /// Where the router is.
    public static let router = TableSchema([url, caFile, account, backlogRate])
    static let url = Key.required("url", .routerAddress, "The router's address, such as \"wss://router.example:443\".")
    static let caFile = Key<String?>.optional(
        "ca_file", .path,
        "The certificates that are trusted, as PEM; else those that enrolment pinned, else the system's.")
    static let account = Key<String?>.optional(
        "account", .nonEmptyString, "The account to which the device belongs, for an enrolment without a claim code.")

    static let backlogRate = Key.optional(
        "backlog_rate", .integer(1...1_000_000), default: 1_000, shown: "1000",
        "How many observations that have waited for the router go up in a second; what is new goes before them.")

    /// How programs on the device reach the agent.
    public static let local = TableSchema([socket, controlGroup, readGroup])
    static let socket = Key.optional(
        "socket", .path, default: "/run/m2m-agent/agent.sock", shown: "\"/run/m2m-agent/agent.sock\"",
        "The Unix socket; `m2m` finds another one by the environment variable M2M_SOCKET.")
    static let controlGroup = Key.optional(
        "control_group", .nonEmptyString, default: "m2m", shown: "\"m2m\"",
        "The group that may read and switch. The agent's own user and root always may.")
    static let readGroup = Key<String?>.optional("read_group", .nonEmptyString, "The group that may only read.")

    /// On which board the agent runs.
    public static let board = TableSchema([kind, scenario])
    static let kind = Key.optional(
        "kind", .choice(["linux": BoardKind.linux, "simulated": .simulated]), default: .linux, shown: "\"linux\"",
        "The machine's own board, or a simulated one.")
    static let scenario = Key<String?>.optional(
        "scenario", .path,
        "The file that says what happens on the simulated board; else its BMP280 senses 21 °C for ever.")

    /// How observations are stored.
    public static let store = TableSchema([commitInterval, maxSize, whenFull, keep])
    static let commitInterval = Key.optional(
        "commit_interval", .duration(.milliseconds(100)...(.seconds(60))), default: .seconds(1), shown: "\"1s\"",
        "How long readings wait to be written together. Longer spares an SD card; a power cut loses what waits.")
    static let maxSize = Key.optional(
        "max_size", .quantity(.information, 1_048_576...1_099_511_627_776), default: 67_108_864, shown: "\"64 MiB\"",
        "How big the store may grow; then readings go, and events only when no reading is left. "
            + "Its journal takes about a MiB more, and for a moment as much as one big change needs.")
    static let whenFull = Key.optional(
        "when_full", .whenFull, default: AgentConfiguration.Store.WhenFull.dropOldest, shown: "\"drop-oldest\"",
        "Which readings go then: the oldest, or, with { thin_out = \"10m\" }, first all but one of each property for "
            + "each 10 min.")
    static let keep = Key.optional(
        "keep", .duration(.seconds(60)...(.seconds(86_400 * 3_650))), default: .seconds(86_400 * 30),
        shown: "\"30d\"",
        "How long readings are kept that nobody has acknowledged; without a router events too, which else stay.")

    /// Who holds the output lines.
    public static let keeper = TableSchema([keeperSocket, keeperTable, journal])
    static let keeperSocket = Key.optional(
        "socket", .path, default: "/run/m2m-keeper/keeper.sock", shown: "\"/run/m2m-keeper/keeper.sock\"",
        "Where m2m-keeper listens.")
    static let keeperTable = Key.optional(
        "table", .path, default: "/var/lib/m2m-keeper/outputs.table", shown: "\"/var/lib/m2m-keeper/outputs.table\"",
        "The table of outputs that this agent writes for m2m-keeper.")
    static let journal = Key.optional(
        "journal", .path, default: "/run/m2m-agent/outputs.journal", shown: "\"/run/m2m-agent/outputs.journal\"",
        "What this agent writes down of its outputs for its own restart; it has to be gone after a boot.")

    /// Which files are watched, and what happens when they change.
    public static let integrity = TableSchema([paths, exclude, response, interval, maxFileSize, mode])
    static let paths = Key.required(
        "paths",
        .list(of: .path).map { $0.isEmpty ? .failure(Mistake("must name a file or a folder")) : .success($0) },
        "The files that are watched, and the folders with all that is in them.")
    static let exclude = Key.optional(
        "exclude", .list(of: .path), default: [], shown: "[]",
        "What is left out of them: whole paths, in which `*` stands for anything, slashes too.")
    static let response = Key.optional(
        "response", .choice(["alert": IntegrityResponse.alert, "disable": .disable]), default: .alert,
        shown: "\"alert\"",
        "What happens when a file is not as approved: you are told, or the device is disabled as well.")
    static let interval = Key.optional(
        "interval", .duration(.seconds(5)...(.seconds(86_400))), default: .seconds(60), shown: "\"60s\"",
        "How often every file is looked at, even if nothing tells of a change; it is read then, too, as long as that "
            + "takes no more than 1 % of a core.")
    static let maxFileSize = Key.optional(
        "max_file_size", .quantity(.information, 1_024...1_099_511_627_776), default: 1_073_741_824, shown: "\"1 GiB\"",
        "Of bigger files only size, permissions and owner are looked at.")

    static let mode = Key.optional(
        "mode",
        .choice(["auto": AgentConfiguration.Integrity.Mode.automatic, "inotify": .inotify, "fanotify": .fanotify]),
        default: .automatic, shown: "\"auto\"",
        "By what changes are noticed between the looks: fanotify where the agent has the capability, else inotify.")

    /// What is logged.
    public static let log = TableSchema([level])
    static let level = Key.optional(
        "level",
        .choice([
            "trace": Logger.Level.trace, "debug": .debug, "info": .info, "notice": .notice, "warning": .warning,
            "error": .error, "critical": .critical,
        ]),
        default: .info, shown: "\"info\"", "The least important messages that are logged.")

    /// The whole file; the tables of the components are checked against their models.
    public static let file = TableSchema([
        deviceTable, routerTable, localTable, boardTable, keeperTableKey, storeTable, integrityTable, logTable,
        components,
    ])
    static let deviceTable = Key.required("device", device.kind, "the table that says who the device is")
    static let routerTable = Key<CheckedTable?>.optional(
        "router", router.kind, "Where the router is; without it everything works locally.")
    static let localTable = Key.optional("local", local, "How programs on the device reach the agent.")
    static let boardTable = Key.optional("board", board, "On which board the agent runs.")
    static let keeperTableKey = Key<CheckedTable?>.optional(
        "keeper", keeper.kind,
        "That m2m-keeper holds the output lines; without it the agent itself does, and can't promise as much.")
    static let storeTable = Key.optional("store", store, "How observations are stored.")
    static let integrityTable = Key<CheckedTable?>.optional(
        "integrity", integrity.kind, "Which files are watched; without it none, until the owner wants it.")
    static let logTable = Key.optional("log", log, "What is logged.")
    static let components = Key<Node?>.optional("components", .deferred("table of components"), "The equipment.")

    /// The keys that every component has, beside those of its model.
    public static let component: [any ConfigurationKey] = [model, componentLabel, report]
    static let model = Key.required("model", .nonEmptyString, "What it is.")
    static let componentLabel = Key<String?>.optional("label", .nonEmptyString, "What people call it.")
    static let report = Key<Node?>.optional(
        "report", .deferred("table"),
        "Which readings are stored and sent: { on_change = { PROPERTY = \"0.1 °C\" }, at_least = \"60s\" }; else all.")
    static let atLeast = Key<Duration?>.optional(
        "at_least", .duration(.seconds(1)...(.seconds(86_400))),
        "After how long a reading goes up even if nothing changed.")
}

/// The kinds of boards.
public enum BoardKind: Sendable {
    /// The machine's own.
    case linux
    /// One in memory.
    case simulated
}

extension ValueKind where Value == DeviceID {
    static var deviceID: Self {
        ValueKind<String>.string.map("name", range: DeviceID.rule) { text in
            DeviceID(rawValue: text).map { .success($0) }
                ?? .failure(Mistake("must be \(DeviceID.rule), not \"\(text)\""))
        }
    }
}

extension ValueKind where Value == RouterAddress {
    static var routerAddress: Self {
        ValueKind<String>.string.map("URL", range: "wss://HOST[:PORT]") { text in
            RouterAddress(text).map { .success($0) }
                ?? .failure(Mistake("must be an address such as \"wss://router.example:443\", not \"\(text)\""))
        }
    }
}

extension ValueKind where Value == AgentConfiguration.Store.WhenFull {
    /// `"drop-oldest"` or `{ thin_out = "10m" }`.
    static var whenFull: Self {
        let thinOut = Key.required(
            "thin_out", .duration(.seconds(1)...(.seconds(86_400))), "For how long one reading is enough.")
        let table = TableSchema([thinOut]).kind
        let words = "\"drop-oldest\" or { thin_out = \"10m\" }"
        return Self(words, range: thinOut.range) { node, place, findings in
            switch node.value {
            case .string("drop-oldest"): return .dropOldest
            case .table: return table.read(node, place, &findings).map { .thinOut(to: $0[thinOut]) }
            default:
                findings.add(at: node.position, "'\(place.key)' must be \(words), not \(node.words)")
                return nil
            }
        }
    }
}
