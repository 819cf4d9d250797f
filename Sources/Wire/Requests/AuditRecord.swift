public import DeviceModel

/// One entry of the audit log, as its account sees it.
public struct AuditRecord: Hashable, Sendable {
    /// When it happened.
    public var time: WallTime
    /// How often, where the same came again and again.
    public var times: Int
    /// When it happened last, where it came again and again.
    public var until: WallTime?
    /// Who did it.
    public var who: String
    /// From which address.
    public var source: String
    /// What was done, in one word.
    public var act: String
    /// To what.
    public var object: String
    /// What came of it.
    public var result: String

    /// An entry.
    public init(
        time: WallTime, times: Int = 1, until: WallTime? = nil, who: String, source: String,
        act: String, object: String, result: String
    ) {
        (self.time, self.times, self.until) = (time, times, until)
        (self.who, self.source, self.act, self.object, self.result) = (who, source, act, object, result)
    }

    func fields(_ map: inout MessagePackWriter) {
        map.field("time", time.nanoseconds)
        map.field("times", times)
        map.field("last_time", until?.nanoseconds)
        map.field("who", who)
        map.field("from", source)
        map.field("act", act)
        map.field("object", object)
        map.field("result", result)
    }
}
