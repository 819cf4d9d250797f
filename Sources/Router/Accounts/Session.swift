import DeviceModel

/// A person's session: for how long its token is good, and what for.
///
/// A plain value.
struct Session: Hashable, Sendable {
    /// What is kept of the token: its SHA-256.
    let tokenHash: [UInt8]
    /// Whose session it is.
    let owner: RouterStore.Owner
    /// How people call it, among those of its owner.
    let name: String
    /// From which address it was begun, and with which program.
    let source: String
    let agent: String
    /// When it was begun, when it was used last, and when the security code was given last: on one boot's clock.
    private(set) var begun: Timestamp
    private(set) var used: Timestamp
    private(set) var proved: Timestamp

    /// A session that begins with the right code.
    init(tokenHash: [UInt8], owner: RouterStore.Owner, name: String, source: String, agent: String, at now: Timestamp) {
        self.init(
            tokenHash: tokenHash, owner: owner, name: name, source: source, agent: agent, begun: now, used: now,
            proved: now)
    }

    /// A session as it was kept.
    init(
        tokenHash: [UInt8], owner: RouterStore.Owner, name: String, source: String, agent: String, begun: Timestamp,
        used: Timestamp, proved: Timestamp
    ) {
        (self.tokenHash, self.owner, self.name) = (tokenHash, owner, name)
        (self.source, self.agent) = (source, agent)
        (self.begun, self.used, self.proved) = (begun, used, proved)
    }

    /// For how long it is good, however much it is used.
    static let lifetime: Duration = .seconds(12 * 3_600)
    /// For how long it is good without a code when it is not used.
    static let idleTime: Duration = .seconds(15 * 60)
    /// How old the code may be where something dangerous is asked for.
    static let freshness: Duration = .seconds(5 * 60)

    /// When it ends at the latest, by the wall clock.
    var expires: WallTime { begun.wall + Self.lifetime }

    /// Whether it is over for good.
    func isOver(at now: Timestamp) -> Bool { begun.age(at: now) >= Self.lifetime }

    /// Whether it was not used for too long: the security code brings it back.
    func isIdle(at now: Timestamp) -> Bool { used.age(at: now) >= Self.idleTime }

    /// Whether it was used last so long ago, or in another boot.
    func wasUsed(longerAgoThan duration: Duration, at now: Timestamp) -> Bool {
        used.age(at: now) >= duration || used.boot != now.boot
    }

    /// Whether the security code was given a short while ago.
    func isFresh(at now: Timestamp) -> Bool { proved.age(at: now) < Self.freshness }

    /// It is used, or, with a code, proved to be its owner's.
    mutating func use(at now: Timestamp, withCode: Bool = false) {
        if now.boot != begun.boot {
            // Another boot's clock tells nothing: from now on all is as long ago as the wall clock says.
            (begun, proved) = (begun.moved(to: now), proved.moved(to: now))
        }
        used = now
        if withCode { proved = now }
    }
}

extension Timestamp {
    /// How long ago it was, by whichever clock says more: one stands still while the machine sleeps, people set the other.
    ///
    /// Where neither can tell it is longer ago than anything.
    fileprivate func age(at now: Timestamp) -> Duration {
        let byWall = now.wall - wall
        if now.boot == boot { return max(now.monotonic - monotonic, byWall) }
        return byWall >= .zero ? byWall : .seconds(365 * 86_400)
    }

    /// The same on the clock of another boot.
    fileprivate func moved(to now: Timestamp) -> Timestamp {
        var moved = self
        (moved.boot, moved.monotonic) = (now.boot, now.monotonic - age(at: now))
        return moved
    }
}
