import DeviceModel

/// What the router knows of what a device's files are meant to be, and how it judges what the device says of them.
///
/// Nothing is approved here on the device's word: it only says that it has what its owner has approved.
struct DeviceFiles: Hashable, Sendable {
    /// What was approved.
    struct Approved: Hashable, Sendable {
        var root: SHA256Hash
        var time: WallTime
        var by: Approver
    }

    /// What is about to be approved.
    struct Next: Hashable, Sendable {
        var root: SHA256Hash
        var by: Approver
    }

    /// Whose word it is.
    enum Approver: Hashable, Sendable, CustomStringConvertible {
        /// The owner, by the name of the account.
        case owner(String)
        /// Whoever has signed a release.
        case release(String)

        /// As it is told, and as ``init(_:)`` reads it; no account has a space in its name.
        var description: String {
            switch self {
            case .owner(let name): name
            case .release(let name): Self.release + name
            }
        }

        /// - Parameter text: What ``description`` says.
        init(_ text: String) {
            self = text.hasPrefix(Self.release) ? .release(String(text.dropFirst(Self.release.count))) : .owner(text)
        }

        private static let release = "release "
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
    /// The most that the device has said it does about one; it is less only when the owner wants that.
    var response: IntegrityResponse?
    /// Until when the owner lets changes be collected; nil: they don't.
    var windowEnd: WallTime?
    /// Why the device is disabled.
    var disabledBecause: String?
    /// What is held against its baseline.
    var objection: Objection?

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
        case nil: objection = .isSilent
        // It is not known what its baseline is: what was held against it is so still.
        case let claim? where claim.root == nil: break
        case let claim?:
            objection = object(to: claim, at: wall) ?? objectToWindow(of: claim, at: wall) ?? objectToRelease(of: claim)
        }
        response = [response, claim?.response].compactMap(\.self).max()
        let strictest = [response, wanted].compactMap(\.self).max()
        if strictest == .disable, disabledBecause == nil { disabledBecause = objection?.words }
        // A device that was to be disabled once is told so again, whatever its configuration says by now.
        let told = claim != nil && strictest == .disable ? strictest : wanted
        return IntegrityVerdict(
            counter: counter, disabledBecause: disabledBecause, objection: objection?.words, response: told)
    }

    /// By how much the clocks of a device and a router may disagree on the end of a window.
    private static let tolerance: Duration = .seconds(300)

    private func objectToWindow(of claim: IntegrityClaim, at wall: WallTime) -> Objection? {
        let isGranted = windowEnd.map { wall < $0 + Self.tolerance } ?? false
        return claim.hasWindow && !isGranted ? .foreignWindow : nil
    }

    private func objectToRelease(of claim: IntegrityClaim) -> Objection? {
        guard let expected = claim.expected, expected != next?.root else { return nil }
        return .foreignRelease
    }

    /// What a device says of its baseline while it is connected: it has what is about to be approved, or that changes
    /// nothing.
    ///
    /// - Returns: Who approved what it has now; nil: nothing is approved by it.
    mutating func hear(_ claim: IntegrityClaim, at wall: WallTime) -> Approver? {
        guard let next, claim.root == next.root, claim.counter == counter + 1 else { return nil }
        promote(next.root, at: wall)
        return next.by
    }

    /// What a claim is not; nil: it is what was approved.
    private mutating func object(to claim: IntegrityClaim, at wall: WallTime) -> Objection? {
        guard let root = claim.root else { return nil }
        if let next, root == next.root, claim.counter.map({ $0 == counter + 1 }) ?? true {
            promote(next.root, at: wall)
            return nil
        }
        guard let approved else {
            let first = seen ?? root
            seen = first
            return first == root ? nil : .notTheFirst
        }
        guard let count = claim.counter else { return approved.root == root ? nil : .isLost }
        if count < counter { return .isOlder(count, than: counter) }
        if count > counter { return .isNewer(count, than: counter) }
        return approved.root == root ? nil : .isReplaced
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
