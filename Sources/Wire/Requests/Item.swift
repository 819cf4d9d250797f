public import DeviceModel

/// One piece of an answer.
public enum Item: Hashable, Sendable {
    /// Something was observed.
    case observation(ReportedObservation)
    /// Observations are missing.
    case gap(ReportedGap)
    /// A device, and whether it is there.
    case device(DeviceSummary)
    /// What a device is and can do.
    case description(DeviceDescription)
    /// A claim code.
    case ticket(ClaimTicket)
    /// A device that waits to be accepted.
    case pending(PendingDevice)
    /// One of a person's sessions.
    case session(SessionSummary)
    /// An entry of the audit log.
    case audit(AuditRecord)
    /// How the watch over a device's files is.
    case integrity(ReportedIntegrity)
    /// A file that is not what was approved.
    case change(ReportedChange)
    /// Who is asking.
    case account(AccountSummary)
    /// How an agent is.
    case status(AgentStatus)
    /// What is on a board.
    case inventory(BoardInventory)
}

/// A gap as a person is told of it.
public struct ReportedGap: Hashable, Sendable {
    /// The device on which observations are missing.
    public var device: DeviceID
    /// What is missing.
    public var gap: Gap

    /// A gap of a device.
    public init(device: DeviceID, gap: Gap) {
        self.device = device
        self.gap = gap
    }
}

/// A device in its owner's list.
public struct DeviceSummary: Hashable, Sendable {
    /// The device.
    public var device: DeviceID
    /// What people call it.
    public var label: String?
    /// Whether it is connected.
    public var isOnline: Bool
    /// When it was connected last; nil: never.
    public var lastSeen: WallTime?
    /// What is known to be missing of its observations; nil: that was not asked.
    public var losses: DeviceLosses?
    /// Why it is not commanded until its owner trusts it again, in words; nil: it is.
    public var alarm: String?
    /// Whether its owner has revoked it.
    public var isRevoked: Bool
    /// Why it is disabled, in words; nil: it is not, or only its presence was to be told.
    public var disabledBecause: String?
    /// What the baseline of its files is not, in words; nil: nothing speaks against it, or only its presence was to be
    /// told.
    public var objection: String?

    /// A device in its owner's list.
    public init(
        device: DeviceID, label: String? = nil, isOnline: Bool, lastSeen: WallTime?, losses: DeviceLosses? = nil,
        alarm: String? = nil, isRevoked: Bool = false, disabledBecause: String? = nil, objection: String? = nil
    ) {
        self.disabledBecause = disabledBecause
        self.objection = objection
        self.device = device
        self.label = label
        self.isOnline = isOnline
        self.lastSeen = lastSeen
        self.losses = losses
        self.alarm = alarm
        self.isRevoked = isRevoked
    }
}

/// What is known to be missing of a device's observations.
public struct DeviceLosses: Hashable, Sendable {
    /// How many observations are named as missing.
    public var missing: UInt64
    /// In how many places nobody knows how many are missing.
    public var unknown: Int
    /// How often a number came again with another content.
    public var conflicts: Int

    /// What is missing.
    public init(missing: UInt64 = 0, unknown: Int = 0, conflicts: Int = 0) {
        self.missing = missing
        self.unknown = unknown
        self.conflicts = conflicts
    }
}

/// A claim code for a new device.
public struct ClaimTicket: Hashable, Sendable {
    /// The device for which it is good.
    public var device: DeviceID
    /// What is typed on the device.
    public var code: String
    /// Until when it is good.
    public var expires: WallTime

    /// A claim code.
    public init(device: DeviceID, code: String, expires: WallTime) {
        self.device = device
        self.code = code
        self.expires = expires
    }
}

/// A device that waits to be accepted.
public struct PendingDevice: Hashable, Sendable {
    /// The name under which it wants to be known.
    public var device: DeviceID
    /// The fingerprint of its key.
    public var fingerprint: String
    /// Since when it waits.
    public var since: WallTime

    /// A device that waits.
    public init(device: DeviceID, fingerprint: String, since: WallTime) {
        self.device = device
        self.fingerprint = fingerprint
        self.since = since
    }
}

/// Who is asking.
public struct AccountSummary: Hashable, Sendable {
    /// The account, or the user on the device.
    public var user: String
    /// Where: the router's name, or the device's.
    public var place: String
    /// When the session ends at the latest; nil: it does not end by itself.
    public var expires: WallTime?

    /// Who is asking.
    public init(user: String, place: String, expires: WallTime? = nil) {
        self.user = user
        self.place = place
        self.expires = expires
    }
}
