public import DeviceModel

/// Person to router, the first of two steps: name and password.
///
/// A ``CodeWanted`` follows, or an error.
public struct Login: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.accounts, "login")

    /// The account.
    public var user: String
    /// Its password.
    public var password: String

    /// Name and password.
    public init(user: String, password: String) {
        self.user = user
        self.password = password
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("user", user)
            map.field("password", password)
        }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var fields = AccountFields()
        try reader.readMap { (key, reader) throws(WireError) in try fields.read(key, &reader) }
        self.init(
            user: try reader.require(fields.user, "user"), password: try reader.require(fields.password, "password"))
    }
}

/// Router to person: the password was right; now the security code.
public struct CodeWanted: EmptyMessage {
    /// How an envelope names it.
    public static let kind = MessageKind(.accounts, "code_wanted")

    /// The security code is wanted.
    public init() {}
}

/// Person to router, the second of two steps: the security code.
///
/// A ``SessionGranted`` follows, or an error.
public struct Code: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.accounts, "code")

    /// The code: six digits.
    public var code: String

    /// The security code.
    public init(code: String) {
        self.code = code
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { $0.field("code", code) }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var fields = AccountFields()
        try reader.readMap { (key, reader) throws(WireError) in try fields.read(key, &reader) }
        self.init(code: try reader.require(fields.code, "code"))
    }
}

/// Person to router, instead of a login: go on with a session that was granted before.
public struct Resume: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.accounts, "resume")

    /// The token of the session.
    public var token: String

    /// A session to go on with.
    public init(token: String) {
        self.token = token
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { $0.field("token", token) }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var fields = AccountFields()
        try reader.readMap { (key, reader) throws(WireError) in try fields.read(key, &reader) }
        self.init(token: try reader.require(fields.token, "token"))
    }
}

/// Router to person: you are in, and may ask.
public struct SessionGranted: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.accounts, "session")

    /// The account.
    public var user: String
    /// What to ``Resume`` with; nil in the answer to a resume.
    public var token: String?
    /// When the session ends at the latest.
    public var expires: WallTime
    /// The router's own clock, on which deadlines of commands can be given.
    public var monotonic: MonotonicTime?

    /// A session.
    public init(user: String, token: String? = nil, expires: WallTime, monotonic: MonotonicTime? = nil) {
        self.user = user
        self.token = token
        self.expires = expires
        self.monotonic = monotonic
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("user", user)
            map.field("token", token)
            map.field("expires", expires.nanoseconds)
            map.field("at", monotonic?.nanoseconds)
        }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var fields = AccountFields()
        try reader.readMap { (key, reader) throws(WireError) in try fields.read(key, &reader) }
        self.init(
            user: try reader.require(fields.user, "user"), token: fields.token,
            expires: try reader.require(fields.expires, "expires"), monotonic: fields.monotonic)
    }
}

/// Person to router: end this session for good.
///
/// A ``LoggedOut`` follows.
public struct Logout: EmptyMessage {
    /// How an envelope names it.
    public static let kind = MessageKind(.accounts, "logout")

    /// The end of a session.
    public init() {}
}

/// Router to person: the session has ended.
public struct LoggedOut: EmptyMessage {
    /// How an envelope names it.
    public static let kind = MessageKind(.accounts, "logged_out")

    /// The session has ended.
    public init() {}
}

/// The fields of the messages about accounts, as far as they were there.
private struct AccountFields {
    var user: String?
    var password: String?
    var code: String?
    var token: String?
    var expires: WallTime?
    var monotonic: MonotonicTime?

    mutating func read(_ key: String, _ reader: inout MessagePackReader) throws(WireError) {
        switch key {
        case "user": user = try reader.readString()
        case "password": password = try reader.readString()
        case "code": code = try reader.readString()
        case "token": token = try reader.readString()
        case "expires": expires = try reader.readWallTime()
        case "at": monotonic = MonotonicTime(nanoseconds: try reader.readInt64())
        default: try reader.skip()
        }
    }
}
