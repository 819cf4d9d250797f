import DeviceModel

/// What the router knows of what a device's files are meant to be, and how it judges what the device says of them.
///
/// Nothing is approved here on the device's word: it only says that it has what its owner has approved.
struct DeviceFiles: Hashable, Sendable {
    /// What was approved.
    struct Approved: Hashable, Sendable {
        var root: SHA256Hash
        var time: WallTime
        var by: String
    }

    /// What is about to be approved.
    struct Next: Hashable, Sendable {
        var root: SHA256Hash
        /// An account, or a release.
        var by: String
    }

    /// How the name of whoever has approved something begins where that is no account.
    static let release = "release "

    /// What was approved; nil: nothing was.
    var approved: Approved?
    /// How often something was.
    var counter: UInt64 = 0
    /// What counts as soon as the device has it.
    var next: Next?
    /// The root with which the device came first, where nothing was approved.
    var seen: SHA256Hash?
    /// What the owner wants to be done about a change; nil: what the device is configured for.
    var wanted: IntegrityResponse?
    /// The most that the device has said it does about one; it is less only when the owner wants that.
    var response: IntegrityResponse?
    /// Until when the owner lets changes be collected; nil: they don't.
    var windowEnd: WallTime?
    /// Why the device is disabled.
    var disabledBecause: String?
    /// What its baseline is not.
    var objection: String?

    /// Whether nothing is known of this device's files: it has never said anything of them.
    var isEmpty: Bool { self == DeviceFiles() }

    /// Judges what a device says when it comes.
    ///
    /// - Parameters:
    ///   - claim: What it says; nil: nothing.
    ///   - wall: The present.
    /// - Returns: What it is told; nil: nothing, for there is nothing to be said.
    mutating func judge(_ claim: IntegrityClaim?, at wall: WallTime) -> IntegrityVerdict? {
        guard claim != nil || !isEmpty else { return nil }
        switch claim {
        case nil: objection = Self.isOff
        // It is not known what its baseline is: what was held against it is so still.
        case let claim? where claim.root == nil: break
        case let claim?:
            objection = object(to: claim, at: wall) ?? objectToWindow(of: claim, at: wall) ?? objectToRelease(of: claim)
        }
        response = [response, claim?.response].compactMap(\.self).max()
        let strictest = [response, wanted].compactMap(\.self).max()
        if strictest == .disable, disabledBecause == nil { disabledBecause = objection }
        // A device that was to be disabled once is told so again, whatever its configuration says by now.
        let told = claim != nil && strictest == .disable ? strictest : wanted
        return IntegrityVerdict(
            counter: counter, disabledBecause: disabledBecause, objection: objection, response: told)
    }

    /// What is held against a device that says nothing of its files any more.
    static let isOff = "the device does not watch over its files any more, which it did"
    /// By how much the clocks of a device and a router may disagree on the end of a window.
    private static let tolerance: Duration = .seconds(300)

    private func objectToWindow(of claim: IntegrityClaim, at wall: WallTime) -> String? {
        let isGranted = windowEnd.map { wall < $0 + Self.tolerance } ?? false
        return claim.hasWindow && !isGranted
            ? Self.foreignWindow : nil
    }

    /// What is held against a device that collects changes, and nobody has let it.
    static let foreignWindow =
        "it collected changes without an alarm, and nobody has opened a window for that; look at its files, and approve them"

    private func objectToRelease(of claim: IntegrityClaim) -> String? {
        guard let expected = claim.expected, expected != next?.root else { return nil }
        return "it lets the changes of a release pass of which this router knows nothing"
    }

    /// What a device says of its baseline while it is connected: it has what is about to be approved, or that changes
    /// nothing.
    ///
    /// - Returns: Who approved what it has now; nil: nothing is approved by it.
    mutating func hear(_ claim: IntegrityClaim, at wall: WallTime) -> String? {
        guard let next, claim.root == next.root, claim.counter == counter + 1 else { return nil }
        promote(next.root, at: wall)
        return next.by
    }

    /// What a claim is not; nil: it is what was approved.
    private mutating func object(to claim: IntegrityClaim, at wall: WallTime) -> String? {
        guard let root = claim.root else { return nil }
        if let next, root == next.root, claim.counter.map({ $0 == counter + 1 }) ?? true {
            promote(next.root, at: wall)
            return nil
        }
        guard let approved else {
            let first = seen ?? root
            seen = first
            return first == root
                ? nil : "its baseline is not the one with which it came first, and nobody has approved another one"
        }
        guard let count = claim.counter else {
            return approved.root == root
                ? nil : "its baseline was lost or replaced, and the one that it has is not what was approved"
        }
        if count < counter {
            return "its baseline is number \(count), and number \(counter) was approved: "
                + "an older copy of its state was restored"
        }
        if count > counter {
            return "its baseline is number \(count), and only \(counter) were approved: "
                + "it was replaced, or this router's data are older"
        }
        return approved.root == root ? nil : "its baseline is not the one that was approved: it was replaced"
    }

    /// What was about to be approved is so now, unless that is something else by now.
    mutating func promote(_ root: SHA256Hash, at wall: WallTime) {
        guard let next, next.root == root else { return }
        approved = Approved(root: next.root, time: wall, by: next.by)
        counter += 1
        (self.next, objection) = (nil, nil)
    }

    /// What was about to be approved is not any more, and what was before is so again, unless that is something else by now.
    mutating func withdraw(_ root: SHA256Hash, to before: Next? = nil) {
        if next?.root == root { next = before }
    }
}
