import Components
public import ConfigurationSchema
public import DeviceModel
public import Logging

/// All of `agent.toml`, checked.
public struct AgentConfiguration: Sendable {
    /// Where the file is where nobody names another.
    public static let usualFile = "/etc/m2m-agent/agent.toml"

    /// The device's name.
    public var id: DeviceID
    /// What people call it.
    public var label: String?
    /// Where its store and its key are.
    public var stateDirectory: String
    /// Where the router is; nil: there is none.
    public var router: Router?
    /// How programs on the device reach the agent.
    public var local: Local
    /// On which board the agent runs.
    public var boardKind: BoardKind
    /// The file that says what happens on a simulated board.
    public var scenario: String?
    /// Where the name of the scenario stands.
    public var scenarioPosition: Position
    /// Who holds the output lines; nil: the agent itself.
    public var keeper: Keeper?
    /// How observations are stored.
    public var store: Store
    /// Which files are watched; nil: none, until the owner wants it.
    public var integrity: Integrity?
    /// What is logged.
    public var logLevel: Logger.Level
    /// The components, in the order of the file.
    public var components: [ComponentPlan]
    /// What happens when something happens to a component.
    public var bindings: [Binding]

    /// Where the router is, and how it is known.
    public struct Router: Hashable, Sendable {
        /// Its address.
        public var address: RouterAddress
        /// The certificates that are trusted; nil: those that enrolment pinned, else the system's.
        public var caFile: String?
        /// The account, for an enrolment without a claim code.
        public var account: String?
        /// How many observations that have waited go up in a second.
        public var backlogRate: Int
    }

    /// How programs on the device reach the agent.
    public struct Local: Hashable, Sendable {
        /// Where it is where nobody says otherwise.
        public static let usualSocket = "/run/m2m-agent/agent.sock"

        /// The Unix socket.
        public var socket: String
        /// The group that may read and switch.
        public var controlGroup: String
        /// The group that may only read.
        public var readGroup: String?
    }

    /// Where m2m-keeper is, and what it reads.
    public struct Keeper: Hashable, Sendable {
        /// Its socket.
        public var socket: String
        /// Its table of outputs.
        public var table: String
        /// Where the agent writes down its outputs for its own restart.
        public var journal: String
    }

    /// Which files are watched, and what happens when they change.
    public struct Integrity: Hashable, Sendable {
        /// The files, and the folders with all that is in them.
        public var paths: [String]
        /// Patterns of paths that are left out.
        public var excludes: [String]
        /// What happens when one is not as approved.
        public var response: IntegrityResponse
        /// How often everything is looked at, at least.
        public var interval: Duration
        /// The size from which on a file is not read, in bytes.
        public var maxFileSize: Int
        /// By what changes are noticed.
        public var mode: Mode

        /// By what changes are noticed, beside the rounds.
        public enum Mode: Sendable {
            /// By fanotify where this process may have it, else by inotify.
            case automatic
            case inotify
            case fanotify
        }

        /// Which files are watched.
        public init(
            paths: [String], excludes: [String] = [], response: IntegrityResponse = .alert,
            interval: Duration = .seconds(60), maxFileSize: Int = 1_073_741_824, mode: Mode = .automatic
        ) {
            self.mode = mode
            self.paths = paths
            self.excludes = excludes
            self.response = response
            self.interval = interval
            self.maxFileSize = maxFileSize
        }
    }

    /// How observations are stored.
    public struct Store: Hashable, Sendable {
        /// How long readings wait to be written together.
        public var commitInterval: Duration
        /// How big the store may grow, in bytes.
        public var maxSize: Int
        /// How long observations are kept.
        public var keep: Duration
        /// What happens to readings while it is too big.
        public var whenFull: WhenFull

        /// What happens to readings while the store is too big; events go only when no reading is left.
        public enum WhenFull: Hashable, Sendable {
            /// The oldest go.
            case dropOldest
            /// One of each property is kept for each interval; when that is done the oldest go.
            case thinOut(to: Duration)
        }
    }

    /// What the device is and can do.
    ///
    /// - Parameters:
    ///   - software: The program that speaks for it.
    ///   - integrity: What the watch over its files can tell; nil: there is none.
    /// - Returns: The description that goes up.
    public func description(software: String, integrity: ComponentDescription? = nil) -> DeviceDescription {
        let all = components.map(\.description) + [integrity].compactMap(\.self)
        return DeviceDescription(id: id, label: label, software: software, components: all)
    }

    /// Which readings go up, by component and property.
    var filters: [ComponentID: [String: ReportFilter.Settings]] {
        components.reduce(into: [:]) { $0[$1.id] = $1.filters }
    }

    /// Checks a whole file.
    ///
    /// - Parameters:
    ///   - file: The file.
    ///   - findings: Takes all that is wrong.
    /// - Returns: The configuration; nil when anything is wrong.
    public static func read(_ file: Table, _ findings: inout Findings) -> AgentConfiguration? {
        let checked = AgentKeys.file.check(file, name: "", at: Position(line: 1, column: 1), &findings)
        let (components, bindings) = ComponentReader.read(
            file[AgentKeys.components.name], hasRouter: file[AgentKeys.routerTable.name] != nil,
            hasKeeper: file[AgentKeys.keeperTableKey.name] != nil, &findings)
        guard let checked, findings.isEmpty else { return nil }
        let device = checked[AgentKeys.deviceTable]
        let board = checked[AgentKeys.boardTable]
        return AgentConfiguration(
            id: device[AgentKeys.id], label: device[AgentKeys.label],
            stateDirectory: device[AgentKeys.stateDirectory], router: checked[AgentKeys.routerTable].map(Router.init),
            local: Local(checked[AgentKeys.localTable]), boardKind: board[AgentKeys.kind],
            scenario: board[AgentKeys.scenario], scenarioPosition: board.position(of: AgentKeys.scenario),
            keeper: checked[AgentKeys.keeperTableKey].map(Keeper.init), store: Store(checked[AgentKeys.storeTable]),
            integrity: checked[AgentKeys.integrityTable].map(Integrity.init),
            logLevel: checked[AgentKeys.logTable][AgentKeys.level],
            components: components, bindings: bindings)
    }
}

extension AgentConfiguration.Router {
    fileprivate init(_ table: CheckedTable) {
        address = table[AgentKeys.url]
        caFile = table[AgentKeys.caFile]
        account = table[AgentKeys.account]
        backlogRate = Int(table[AgentKeys.backlogRate])
    }
}

extension AgentConfiguration.Local {
    fileprivate init(_ table: CheckedTable) {
        socket = table[AgentKeys.socket]
        controlGroup = table[AgentKeys.controlGroup]
        readGroup = table[AgentKeys.readGroup]
    }
}

extension AgentConfiguration.Keeper {
    fileprivate init(_ table: CheckedTable) {
        socket = table[AgentKeys.keeperSocket]
        self.table = table[AgentKeys.keeperTable]
        journal = table[AgentKeys.journal]
    }
}

extension AgentConfiguration.Integrity {
    fileprivate init(_ table: CheckedTable) {
        paths = table[AgentKeys.paths]
        excludes = table[AgentKeys.exclude]
        response = table[AgentKeys.response]
        interval = table[AgentKeys.interval]
        maxFileSize = Int(table[AgentKeys.maxFileSize])
        mode = table[AgentKeys.mode]
    }
}

extension AgentConfiguration.Store {
    fileprivate init(_ table: CheckedTable) {
        commitInterval = table[AgentKeys.commitInterval]
        maxSize = Int(table[AgentKeys.maxSize])
        keep = table[AgentKeys.keep]
        whenFull = table[AgentKeys.whenFull]
    }
}
