public import DeviceModel

/// One of a person's sessions, as they see it.
public struct SessionSummary: Hashable, Sendable {
    /// How it is called, among those of its owner.
    public var name: String
    /// The address from which it was begun.
    public var source: String
    /// The program with which it was begun, as that calls itself.
    public var agent: String
    /// When it was begun.
    public var begun: WallTime
    /// When it was used last.
    public var used: WallTime
    /// When it ends at the latest.
    public var expires: WallTime
    /// Whether it is the one in which this is asked.
    public var isCurrent: Bool

    /// A session.
    public init(
        name: String, source: String, agent: String, begun: WallTime, used: WallTime, expires: WallTime,
        isCurrent: Bool
    ) {
        (self.name, self.source, self.agent) = (name, source, agent)
        (self.begun, self.used, self.expires) = (begun, used, expires)
        self.isCurrent = isCurrent
    }

    func fields(_ map: inout MessagePackWriter) {
        map.field("session", name)
        map.field("from", source)
        map.field("program", agent)
        map.field("time", begun.nanoseconds)
        map.field("used", used.nanoseconds)
        map.field("expires", expires.nanoseconds)
        map.field("current", isCurrent)
    }
}
