public import DeviceModel

/// What a person asks about the files of a device.
public enum IntegrityRequest: Hashable, Sendable {
    /// How is the watch? One integrity item.
    case status(DeviceID?)
    /// How do files differ from what was approved? One change item each, then an integrity item with their root.
    case changes(DeviceID?)
    /// The files are meant to be as I was shown them: with this root. One integrity item.
    case approve(DeviceID, root: SHA256Hash)
    /// Expect what a signed release changes: the text of its manifest. One integrity item.
    case release(DeviceID, manifest: String)
    /// Command the device again; with a response from now on, where one is given. One integrity item.
    case enable(DeviceID, IntegrityResponse?)
    /// Collect changes for so long; zero: no longer. One integrity item.
    case window(DeviceID, Duration)

    /// The type by which an envelope names the request.
    public var type: String {
        switch self {
        case .status: "integrity"
        case .changes: "integrity_changes"
        case .approve: "integrity_approve"
        case .release: "integrity_release"
        case .enable: "integrity_enable"
        case .window: "integrity_window"
        }
    }

    /// The device that is meant; nil: the one that is asked.
    public var device: DeviceID? {
        switch self {
        case .status(let device), .changes(let device): device
        case .approve(let device, _), .release(let device, _), .enable(let device, _), .window(let device, _): device
        }
    }

    /// All types of these requests.
    static let types: Set = [
        "integrity", "integrity_changes", "integrity_approve", "integrity_release", "integrity_enable",
        "integrity_window",
    ]

    func fields(_ map: inout MessagePackWriter) {
        map.field("device", device?.rawValue)
        switch self {
        case .status, .changes: break
        case .approve(_, let root): map.field("root", root.bytes)
        case .release(_, let manifest): map.field("manifest", Array(manifest.utf8))
        case .enable(_, let response): map.field("response", response?.rawValue)
        case .window(_, let length): map.field("window_ms", length.milliseconds)
        }
    }
}

/// The fields of requests about files, as far as they were there.
struct IntegrityRequestFields {
    private var root: SHA256Hash?
    private var manifest: String?
    private var response: IntegrityResponse?
    private var window: Duration?

    static let keys: Set = ["root", "manifest", "response", "window_ms"]

    mutating func read(_ key: String, _ reader: inout MessagePackReader) throws(WireError) {
        switch key {
        case "root": root = try reader.readDigest(key)
        case "manifest": manifest = try reader.readManifest()
        case "response": response = try reader.readChoice(IntegrityResponse.self, key)
        default: window = try reader.readMilliseconds()
        }
    }

    func request(
        _ type: String, _ device: DeviceID?, _ reader: MessagePackReader
    ) throws(WireError) -> IntegrityRequest {
        switch type {
        case "integrity": .status(device)
        case "integrity_changes": .changes(device)
        case "integrity_approve":
            .approve(try reader.require(device, "device"), root: try reader.require(root, "root"))
        case "integrity_release":
            .release(try reader.require(device, "device"), manifest: try reader.require(manifest, "manifest"))
        case "integrity_enable": .enable(try reader.require(device, "device"), response)
        default: .window(try reader.require(device, "device"), try reader.require(window, "window_ms"))
        }
    }
}

/// How the watch over a device's files is, as a person is told.
public struct ReportedIntegrity: Hashable, Sendable {
    /// The device.
    public var device: DeviceID
    /// What the device says of it; nil: it is not connected, or says nothing.
    public var status: IntegrityStatus?
    /// Why the device says nothing, where that is known.
    public var silence: String?
    /// What the router knows of it; nil: this is the device's own word alone.
    public var approval: Approval?

    /// What the router knows of what a device's files are meant to be.
    public struct Approval: Hashable, Sendable {
        /// The root that was approved; nil: none was.
        public var root: SHA256Hash?
        /// How often something was approved.
        public var counter: UInt64
        /// When.
        public var time: WallTime?
        /// By whom: an account, or a release.
        public var by: String?
        /// Why the device is disabled, as far as the router knows.
        public var disabledBecause: String?
        /// What the device's baseline is not.
        public var objection: String?
        /// What counts as soon as the device has it: by whom, an account or a release.
        public var next: String?

        /// What a router knows.
        public init(
            root: SHA256Hash? = nil, counter: UInt64 = 0, time: WallTime? = nil, by: String? = nil,
            disabledBecause: String? = nil, objection: String? = nil, next: String? = nil
        ) {
            self.root = root
            self.counter = counter
            self.time = time
            self.by = by
            self.disabledBecause = disabledBecause
            self.objection = objection
            self.next = next
        }
    }

    /// How the watch is.
    public init(device: DeviceID, status: IntegrityStatus?, silence: String? = nil, approval: Approval? = nil) {
        self.device = device
        self.status = status
        self.silence = silence
        self.approval = approval
    }

    func fields(_ map: inout MessagePackWriter) {
        map.field("device", device.rawValue)
        map.field("integrity", status) { $1.encode(into: &$0) }
        map.field("silence", silence)
        map.field("approval", approval) { writer, approval in
            writer.writeMap { map in
                map.field("root", approval.root?.bytes)
                map.field("counter", approval.counter)
                map.field("time", approval.time?.nanoseconds)
                map.field("by", approval.by)
                map.field("disabled", approval.disabledBecause)
                map.field("objection", approval.objection)
                map.field("next", approval.next)
            }
        }
    }
}

extension ReportedIntegrity.Approval {
    init(from reader: inout MessagePackReader) throws(WireError) {
        self.init()
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "root": root = try reader.readDigest(key)
            case "counter": counter = try reader.readUInt64()
            case "time": time = try reader.readWallTime()
            case "by": by = try reader.readString()
            case "disabled": disabledBecause = try reader.readString()
            case "objection": objection = try reader.readString()
            case "next": next = try reader.readString()
            default: try reader.skip()
            }
        }
    }
}

/// A changed file of a device, as a person is told.
public struct ReportedChange: Hashable, Sendable {
    /// The device.
    public var device: DeviceID
    /// How the file differs from what was approved.
    public var change: FileChange

    /// A changed file.
    public init(device: DeviceID, change: FileChange) {
        self.device = device
        self.change = change
    }
}

extension MessagePackReader {
    /// Reads a manifest: bytes, for it is longer than a text may be.
    fileprivate mutating func readManifest() throws(WireError) -> String {
        let start = offset
        let bytes = try readBytes()
        guard bytes.count <= ReleaseManifest.limit else {
            throw WireError(.tooLong, at: start, "a manifest has at most \(ReleaseManifest.limit) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw WireError(.invalidText, at: start) }
        return text
    }
}
