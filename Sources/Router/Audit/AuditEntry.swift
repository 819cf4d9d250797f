import DeviceModel

/// Something that happened, as the audit log keeps it: who did what, from where, and what came of it.
///
/// Its texts are bounded and its times are whole milliseconds, so that what is read back equals what was written.
struct AuditEntry: Hashable, Sendable {
    /// The account in whose log it stands.
    struct Account: Hashable, Sendable {
        /// Its row in the database: a name can be used again after its account was removed.
        let id: Int64
        let name: String

        init(id: Int64, name: String) {
            (self.id, self.name) = (id, name.auditText(nameBound))
        }
    }

    /// How many bytes a name or an address has, at most.
    static let nameBound = 96
    /// How many bytes a longer text has, at most.
    static let textBound = 256

    /// The result of what went as it was wanted.
    static let done = "done"
    /// Who does what nobody asked for.
    static let router = "the router"
    /// Where somebody is who is on the router's own machine.
    static let local = "local"

    let time: WallTime
    /// nil: no account that exists.
    let account: Account?
    /// Who did it, such as an account's name, `device greenhouse` or `uid 0 (root) on the router's machine`.
    let who: String
    /// From which address, or ``local``.
    let source: String
    let act: AuditAct
    /// To what, such as `greenhouse/heater on lease=30s`; empty: the act says it all.
    let object: String
    /// ``done``, or why not.
    let result: String
    /// How often, where repeated failures were put together; at least 1.
    let times: Int
    /// When it happened last, where it happened more than once.
    let until: WallTime?

    init(
        time: WallTime, account: Account? = nil, who: String, source: String, act: AuditAct, object: String = "",
        result: String = done, times: Int = 1, until: WallTime? = nil
    ) {
        (self.time, self.until) = (Self.rounded(time), until.map(Self.rounded))
        (self.account, self.act, self.times) = (account, act, max(1, times))
        (self.who, self.source) = (who.auditText(Self.nameBound), source.auditText(Self.nameBound))
        (self.object, self.result) = (object.auditText(Self.textBound), result.auditText(Self.textBound))
    }

    /// The whole millisecond before, in the years 1678 to 2261: a clock that is further off says nothing.
    private static func rounded(_ time: WallTime) -> WallTime {
        let bounded = max(-9_200_000_000_000_000_000, min(9_200_000_000_000_000_000, time.nanoseconds))
        let rest = bounded % 1_000_000
        return WallTime(nanoseconds: bounded - (rest < 0 ? rest + 1_000_000 : rest))
    }
}
