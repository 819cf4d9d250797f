public import DeviceModel

/// Router to device: what the owner wants of the watch over its files.
///
/// The answer is ``IntegrityAnswer``.
public struct IntegrityAsk: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.integrity, "ask")

    /// By what the answer is known: chosen by the router, unique on the connection.
    public var id: String
    /// What is wanted.
    public var want: Want

    /// What can be wanted.
    public enum Want: Hashable, Sendable {
        /// How the watch is.
        case status
        /// How files differ from what they are meant to be, from the one with this number on.
        case changes(from: Int)
        /// The files as they are, from the one with this number on.
        case entries(from: Int)
        /// Something that only the owner can want.
        case order(IntegrityOrder)
    }

    /// A wish of the owner's.
    public init(id: String, _ want: Want) {
        self.id = id
        self.want = want
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("id", id)
            switch want {
            case .status: map.field("want", "status")
            case .changes(let number):
                map.field("want", "changes")
                map.field("from", number)
            case .entries(let number):
                map.field("want", "entries")
                map.field("from", number)
            case .order(.approve(let root, let counter)):
                map.field("want", "approve")
                map.field("root", root.bytes)
                map.field("counter", counter)
            case .order(.enable(let response)):
                map.field("want", "enable")
                map.field("response", response?.rawValue)
            case .order(.window(let length)):
                map.field("want", "window")
                map.field("window_ms", length.milliseconds)
            case .order(.expect(let expectation)):
                map.field("want", "expect")
                map.field("root", expectation.root.bytes)
                map.field("counter", expectation.counter)
                map.field("release", expectation.release)
                map.field("changes", expectation.changes) { $1.encode(into: &$0) }
            }
        }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var (id, want): (String?, String?)
        var from = 0
        var root: SHA256Hash?
        var counter: UInt64?
        var response: IntegrityResponse?
        var window: Duration?
        var release: String?
        var changes: [FileChange]?
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "id": id = try reader.readString()
            case "want": want = try reader.readString()
            case "from": from = max(0, try reader.readInt())
            case "root": root = try reader.readDigest(key)
            case "counter": counter = try reader.readUInt64()
            case "response": response = try reader.readChoice(IntegrityResponse.self, key)
            case "window_ms": window = try reader.readMilliseconds()
            case "release": release = try reader.readString()
            case "changes":
                changes = try reader.readArray { (reader) throws(WireError) in try FileChange(from: &reader) }
            default: try reader.skip()
            }
        }
        self.id = try reader.require(id, "id")
        switch try reader.require(want, "want") {
        case "status": self.want = .status
        case "changes": self.want = .changes(from: from)
        case "entries": self.want = .entries(from: from)
        case "approve":
            self.want = .order(
                .approve(
                    root: try reader.require(root, "root"), counter: try reader.require(counter, "counter")))
        case "enable": self.want = .order(.enable(response))
        case "window": self.want = .order(.window(try reader.require(window, "window_ms")))
        case "expect":
            self.want = .order(
                .expect(
                    IntegrityExpectation(
                        release: try reader.require(release, "release"),
                        changes: try reader.require(changes, "changes"), root: try reader.require(root, "root"),
                        counter: try reader.require(counter, "counter"))))
        default: throw WireError(.invalidValue, at: reader.offset, "want")
        }
    }
}

/// Device to router: what came of an ``IntegrityAsk``.
public struct IntegrityAnswer: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.integrity, "answer")

    /// What the ``IntegrityAsk`` was called.
    public var id: String
    /// How it ended.
    public var outcome: CommandOutcome
    /// How the watch is.
    public var status: IntegrityStatus?
    /// A part of the changes, from the number that was asked for on.
    public var changes: [FileChange]
    /// A part of the files, from the number that was asked for on.
    public var entries: [FileEntry]
    /// How many changes or files there are; with ``status``' root over the files as they are they belong together.
    public var total: Int?

    /// An answer.
    public init(
        id: String, _ outcome: CommandOutcome = CommandOutcome(.done), status: IntegrityStatus? = nil,
        changes: [FileChange] = [], entries: [FileEntry] = [], total: Int? = nil
    ) {
        self.id = id
        self.outcome = outcome
        self.status = status
        self.changes = changes
        self.entries = entries
        self.total = total
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("id", id)
            map.field("status", outcome.status.rawValue)
            map.field("reason", outcome.reason)
            map.field("integrity", status) { $1.encode(into: &$0) }
            if !changes.isEmpty { map.field("changes", changes) { $1.encode(into: &$0) } }
            if !entries.isEmpty { map.field("entries", entries) { $1.encode(into: &$0) } }
            map.field("total", total)
        }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var id: String?
        var outcome: CommandStatus?
        var reason: String?
        var status: IntegrityStatus?
        var (changes, entries): ([FileChange], [FileEntry]) = ([], [])
        var total: Int?
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "id": id = try reader.readString()
            case "status": outcome = try reader.readChoice(CommandStatus.self, key)
            case "reason": reason = try reader.readString()
            case "integrity": status = try IntegrityStatus(from: &reader)
            case "changes":
                changes = try reader.readArray { (reader) throws(WireError) in try FileChange(from: &reader) }
            case "entries":
                entries = try reader.readArray { (reader) throws(WireError) in try FileEntry(from: &reader) }
            case "total": total = max(0, try reader.readInt())
            default: try reader.skip()
            }
        }
        self.init(
            id: try reader.require(id, "id"), CommandOutcome(try reader.require(outcome, "status"), reason),
            status: status, changes: changes, entries: entries, total: total)
    }
}

/// Device to router: it is disabled, or not any more; or its watch over the files begins to find something else.
public struct IntegrityReport: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.integrity, "report")

    /// Why the device is disabled; nil: it says that it is not, which a router does not believe.
    public var disabledBecause: String?
    /// How many files are not what they are meant to be.
    public var changes: Int
    /// What is said of the baseline; nil: there is none yet.
    public var claim: IntegrityClaim?

    /// A report.
    public init(disabledBecause: String?, changes: Int, claim: IntegrityClaim? = nil) {
        self.disabledBecause = disabledBecause
        self.changes = changes
        self.claim = claim
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("disabled", disabledBecause)
            map.field("changes", changes)
            map.field("integrity", claim) { $1.encode(into: &$0) }
        }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var disabledBecause: String?
        var changes = 0
        var claim: IntegrityClaim?
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "disabled": disabledBecause = try reader.readString()
            case "changes": changes = max(0, try reader.readInt())
            case "integrity": claim = try IntegrityClaim(from: &reader)
            default: try reader.skip()
            }
        }
        self.init(disabledBecause: disabledBecause, changes: changes, claim: claim)
    }
}
