public import DeviceModel
public import Transport

/// What a doctor may look at beyond what the agent says: files, commands, and the network.
public protocol Machine: Sendable {
    /// The text of a file.
    ///
    /// - Parameter path: The file.
    /// - Returns: Its text; nil where there is none.
    /// - Throws: ``FileError`` when it can't be read.
    func text(of path: String) throws(FileError) -> String?
    /// The names in a folder; none where there is no such folder.
    func names(in folder: String) -> [String]
    /// Who may open a device node; nil where there is none.
    func node(_ path: String) -> DeviceNode?
    /// The disk under a path; nil where it can't be told.
    func disk(under path: String) -> DiskSpace?
    /// Whether the system knows a group.
    func hasGroup(_ name: String) -> Bool
    /// What a command comes to.
    ///
    /// - Parameter words: The program, and its arguments.
    /// - Returns: What it has printed; nil where there is no such program, or it does not end in time.
    func run(_ words: [String]) async -> ProgramResult?
    /// Whether a host's name leads to an address.
    func canResolve(_ host: String) async -> Bool
    /// Makes a connection to a router, and ends it.
    ///
    /// - Parameters:
    ///   - router: The router.
    ///   - trust: Which certificates are trusted.
    /// - Throws: ``TransportError`` that says what it failed by.
    func reach(_ router: RouterAddress, _ trust: TLSTrust) async throws(TransportError)
    /// The time of day.
    var wall: WallTime { get }
    /// Whether the kernel holds that to be right.
    var isClockSynchronised: Bool { get }
    /// Whether this process may look at everything.
    var isRoot: Bool { get }
}

/// Who may open a device node.
public struct DeviceNode: Hashable, Sendable {
    /// The name of its group, or its number where the system knows no name.
    public var group: String
    /// Whether the group may read and write.
    public var isOpenToGroup: Bool

    /// A device node.
    public init(group: String, isOpenToGroup: Bool) {
        self.group = group
        self.isOpenToGroup = isOpenToGroup
    }
}

/// A file system, as far as there is room in it.
public struct DiskSpace: Hashable, Sendable {
    /// How many bytes there are in all.
    public var size: Int
    /// How many of them a program may still use.
    public var free: Int
    /// Whether nothing can be written to it.
    public var isReadOnly: Bool

    /// A file system.
    public init(size: Int, free: Int, isReadOnly: Bool = false) {
        self.size = size
        self.free = free
        self.isReadOnly = isReadOnly
    }
}

/// What a command has come to.
public struct ProgramResult: Hashable, Sendable {
    /// Its exit status.
    public var status: Int32
    /// What it has printed on standard output.
    public var output: String

    /// What a command has come to.
    public init(status: Int32 = 0, output: String) {
        self.status = status
        self.output = output
    }

    /// The values of lines such as `ActiveState=active`, by their names.
    var properties: [String: String] {
        output.split(separator: "\n").reduce(into: [:]) { result, line in
            let name = line.prefix { $0 != "=" }
            if name.count < line.count { result[String(name)] = String(line.dropFirst(name.count + 1)) }
        }
    }
}
