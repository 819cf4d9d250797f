/// How many passwords are checked, or wait for it: each takes 32 MiB and a moment.
///
/// A plain value. One address has a few of the places, so that nobody keeps others out, and the last ones are for those
/// who come from where somebody was logged in to that account.
struct WorkPlaces {
    /// How many there are; one more is told to come again.
    static let bound = 16
    /// How many of them one address may have.
    static let boundOfOne = 4
    /// How many are only for those who are known.
    static let kept = 4

    private var taken: [String: Int] = [:]

    /// Somebody gives a password.
    ///
    /// - Parameters:
    ///   - source: From which address.
    ///   - isKnown: Whether somebody was logged in from there to the account that they name.
    /// - Returns: Whether there is a place.
    mutating func take(_ source: String, isKnown: Bool) -> Bool {
        let bound = isKnown ? Self.bound : Self.bound - Self.kept
        guard taken.values.reduce(0, +) < bound, taken[source, default: 0] < Self.boundOfOne else { return false }
        taken[source, default: 0] += 1
        return true
    }

    /// A password was checked.
    mutating func leave(_ source: String) {
        let left = taken[source, default: 1] - 1
        taken[source] = left > 0 ? left : nil
    }
}
