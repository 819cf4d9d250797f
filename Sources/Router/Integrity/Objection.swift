/// What the router holds against what a device says of its baseline.
enum Objection: Hashable, Sendable {
    /// It says nothing of its files any more.
    case isSilent
    /// Nothing was approved yet, and it came with another baseline first.
    case notTheFirst
    /// It has made another one than was approved.
    case isLost
    /// It counts less than was approved.
    case isOlder(UInt64, than: UInt64)
    /// It counts more than was approved.
    case isNewer(UInt64, than: UInt64)
    /// It counts right, and has another one.
    case isReplaced
    /// It collects changes, and nobody has let it.
    case foreignWindow
    /// It lets the changes of a release pass, and the router knows of none.
    case foreignRelease
    /// What another version of the router has written down, in its words: it is held against the device as well.
    case other(String)

    /// As it is told to people, and to the device.
    var words: String {
        switch self {
        case .isSilent: "the device does not watch over its files any more, which it did"
        case .notTheFirst: "its baseline is not the one with which it came first, and nobody has approved another one"
        case .isLost: "its baseline was lost or replaced, and the one that it has is not what was approved"
        case .isOlder(let count, let approved):
            "its baseline is number \(count), and number \(approved) was approved: an older copy of its state was restored"
        case .isNewer(let count, let approved):
            "its baseline is number \(count), and only \(approved) were approved: "
                + "it was replaced, or this router's data are older"
        case .isReplaced: "its baseline is not the one that was approved: it was replaced"
        case .foreignWindow:
            "it collected changes without an alarm, and nobody has opened a window for that; "
                + "look at its files, and approve them"
        case .foreignRelease: "it lets the changes of a release pass of which this router knows nothing"
        case .other(let words): words
        }
    }
}

/// As it is kept: a word, and for some two numbers.
extension Objection: RawRepresentable {
    init(rawValue: String) {
        let words = rawValue.split(separator: " ")
        let numbers = words.dropFirst().compactMap { UInt64($0) }
        switch (words.first, numbers.count) {
        case ("silent", 0): self = .isSilent
        case ("not-the-first", 0): self = .notTheFirst
        case ("lost", 0): self = .isLost
        case ("older", 2): self = .isOlder(numbers[0], than: numbers[1])
        case ("newer", 2): self = .isNewer(numbers[0], than: numbers[1])
        case ("replaced", 0): self = .isReplaced
        case ("window", 0): self = .foreignWindow
        case ("release", 0): self = .foreignRelease
        default: self = .other(rawValue)
        }
    }

    var rawValue: String {
        switch self {
        case .isSilent: "silent"
        case .notTheFirst: "not-the-first"
        case .isLost: "lost"
        case .isOlder(let count, let approved): "older \(count) \(approved)"
        case .isNewer(let count, let approved): "newer \(count) \(approved)"
        case .isReplaced: "replaced"
        case .foreignWindow: "window"
        case .foreignRelease: "release"
        case .other(let words): words
        }
    }
}
