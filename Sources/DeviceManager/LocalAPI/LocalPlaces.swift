/// How many programs may be connected to the local socket at a time.
///
/// A plain value. Those who may switch have places of their own, which nobody takes who may only read, or nothing at all.
struct LocalPlaces {
    /// A connection that has a place.
    struct Place: Hashable {
        let user: UInt32
        let level: LocalAccess.Level
    }

    private var taken: [Place: Int] = [:]

    /// How many of a level there may be altogether.
    static func bound(_ level: LocalAccess.Level) -> Int {
        switch level {
        case .control: 32
        case .read: 16
        case .nothing: 4
        }
    }

    /// How many of them one user may have: whoever may only read leaves room for another one who does.
    static func boundOfOne(_ level: LocalAccess.Level) -> Int {
        level == .read ? 8 : bound(level)
    }

    /// Somebody has connected.
    ///
    /// - Parameters:
    ///   - user: Their user id.
    ///   - level: What they may do.
    /// - Returns: Their place; nil: there is none.
    mutating func take(_ user: UInt32, _ level: LocalAccess.Level) -> Place? {
        let place = Place(user: user, level: level)
        let all = taken.filter { $0.key.level == level }.values.reduce(0, +)
        guard all < Self.bound(level), taken[place, default: 0] < Self.boundOfOne(level) else { return nil }
        taken[place, default: 0] += 1
        return place
    }

    /// A connection has ended.
    mutating func leave(_ place: Place) {
        let left = taken[place, default: 1] - 1
        taken[place] = left > 0 ? left : nil
    }
}
