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
        var by: String
    }

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
    /// What the device does about one, as far as it was believed last.
    var response: IntegrityResponse?
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
        objection = claim.map { object(to: $0, at: wall) } ?? Self.isOff
        if let claim, objection == nil { response = claim.response }
        let strictest = [response, wanted, claim?.response].compactMap(\.self).max()
        if strictest == .disable, disabledBecause == nil { disabledBecause = objection }
        return IntegrityVerdict(
            counter: counter, disabledBecause: disabledBecause, objection: objection, response: wanted)
    }

    private static let isOff = "the device does not watch over its files any more, which it did"

    /// What a claim is not; nil: it is what was approved.
    private mutating func object(to claim: IntegrityClaim, at wall: WallTime) -> String? {
        if let next, claim.root == next.root, claim.counter.map({ $0 == counter + 1 }) ?? true {
            promote(at: wall)
            return nil
        }
        guard let approved else {
            let first = seen ?? claim.root
            seen = first
            return first == claim.root
                ? nil : "its baseline is not the one with which it came first, and nobody has approved another one"
        }
        guard let count = claim.counter else {
            return approved.root == claim.root
                ? nil : "its baseline was lost, and what it has found since is not what was approved"
        }
        if count < counter {
            return "its baseline is number \(count), and number \(counter) was approved: "
                + "an older copy of its state was restored"
        }
        if count > counter {
            return "its baseline is number \(count), and only \(counter) were approved: "
                + "it was replaced, or this router's data are older"
        }
        return approved.root == claim.root ? nil : "its baseline is not the one that was approved: it was replaced"
    }

    /// What was about to be approved is so now.
    mutating func promote(at wall: WallTime) {
        guard let next else { return }
        approved = Approved(root: next.root, time: wall, by: next.by)
        counter += 1
        (self.next, objection) = (nil, nil)
    }
}
