/// How the watch over a device's files is.
public struct IntegrityStatus: Hashable, Sendable {
    /// In which state a device's files are.
    public enum State: String, Sendable, CaseIterable {
        /// Nothing is watched.
        case off
        /// The files are being looked at for the first time.
        case starting
        /// What they are meant to be was lost, or is new: the device is not commanded until its router has said
        /// something about it.
        case waiting
        /// They are what they are meant to be.
        case intact
        /// Changes are being collected, and nobody is alarmed.
        case window
        /// They are not what they are meant to be.
        case changed
        /// The device is disabled.
        case disabled
    }

    /// The state.
    public var state: State
    /// By what changes are noticed: `inotify`, `fanotify`, or `rounds`.
    public var mode: String
    /// What is not seen at once, in words.
    public var blindness: String
    /// What happens when a file is not what it is meant to be.
    public var response: IntegrityResponse
    /// The root over what the files are meant to be.
    public var root: SHA256Hash?
    /// The root over what the files are.
    public var found: SHA256Hash?
    /// How often something was approved; 0: nothing ever was.
    public var counter: UInt64
    /// How many files and folders are watched.
    public var files: Int
    /// How many of them are not what they are meant to be.
    public var changes: Int
    /// Why the device is disabled.
    public var disabledBecause: String?
    /// For how long changes are still collected.
    public var window: Duration?
    /// How long ago the last round through all files was over.
    public var checked: Duration?
    /// How long every file takes to be read again.
    public var period: Duration?
    /// How often more happened at once than the kernel has told, or than could wait to be looked at.
    public var overflows: Int
    /// What keeps it from doing all that it should, a sentence each.
    public var problems: [String]

    /// How the watch is.
    public init(
        state: State, mode: String = "", blindness: String = "", response: IntegrityResponse = .alert,
        root: SHA256Hash? = nil, found: SHA256Hash? = nil, counter: UInt64 = 0, files: Int = 0, changes: Int = 0,
        disabledBecause: String? = nil, window: Duration? = nil, checked: Duration? = nil, period: Duration? = nil,
        overflows: Int = 0, problems: [String] = []
    ) {
        self.state = state
        self.mode = mode
        self.blindness = blindness
        self.response = response
        self.root = root
        self.found = found
        self.counter = counter
        self.files = files
        self.changes = changes
        self.disabledBecause = disabledBecause
        self.window = window
        self.checked = checked
        self.period = period
        self.overflows = overflows
        self.problems = problems
    }
}
