public import DeviceManager
public import DeviceModel
public import Transport

/// A device as it presents itself to a doctor: what it is meant to be, and what it says.
public struct Patient: Sendable {
    /// Its configuration file.
    public var configurationFile: String
    /// What that says.
    public var configuration: Configuration
    /// What the agent says; nil: it says nothing.
    public var agent: Answers?
    /// Why it says nothing.
    public var silence: Silence?
    /// What can be seen of the board; nil: nothing can.
    public var board: BoardInventory?

    /// Why an agent says nothing.
    public enum Silence: Hashable, Sendable {
        /// Nobody listens: why, in words.
        case dead(String)
        /// Somebody listens, and says nothing: for how long, in words.
        case hung(String)
        /// This user may not ask: why, in words.
        case refused(String)
    }

    /// What a configuration file says.
    public enum Configuration: Sendable {
        /// It is right.
        case right(AgentConfiguration, Identity)
        /// There is none.
        case missing
        /// Whoever asks may not read it.
        case unreadable
        /// Something in it is wrong, a sentence each.
        case wrong([String])
    }

    /// What a device has of its router.
    public struct Identity: Sendable {
        /// Whether it has a key; nil: whoever asks may not know.
        public var hasKey: Bool?
        /// Which certificates it trusts; nil: whoever asks may not know.
        public var trust: TLSTrust?

        /// What a device has of its router.
        public init(hasKey: Bool?, trust: TLSTrust?) {
            self.hasKey = hasKey
            self.trust = trust
        }
    }

    /// What a running agent says.
    public struct Answers: Sendable {
        /// How it is.
        public var status: AgentStatus
        /// How the watch over files is; nil: there is none.
        public var integrity: IntegrityStatus?
        /// Its process; nil: the kernel does not tell.
        public var process: Int32?

        /// What a running agent says.
        public init(status: AgentStatus, integrity: IntegrityStatus? = nil, process: Int32? = nil) {
            self.status = status
            self.integrity = integrity
            self.process = process
        }
    }

    /// A device.
    public init(
        configurationFile: String, configuration: Configuration, agent: Answers? = nil, silence: Silence? = nil,
        board: BoardInventory? = nil
    ) {
        self.configurationFile = configurationFile
        self.configuration = configuration
        self.agent = agent
        self.silence = silence
        self.board = board
    }

    /// The configuration as an option for commands; empty where it is the usual one.
    var option: String {
        configurationFile == AgentConfiguration.usualFile ? "" : " --config \(configurationFile.shellWord)"
    }

    /// The configuration, where it is right.
    var settings: AgentConfiguration? {
        if case .right(let settings, _) = configuration { settings } else { nil }
    }

    /// Whether its board is made of copper, as far as is known.
    var hasRealBoard: Bool {
        if let settings { return settings.boardKind != .simulated }
        return !(agent?.status.board.hasPrefix("simulated") ?? false)
    }
}
