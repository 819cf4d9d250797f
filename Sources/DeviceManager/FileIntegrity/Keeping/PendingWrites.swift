import DeviceManager
import DeviceModel

/// What is to be written down, again and again until the disk takes it.
struct PendingWrites {
    /// How long is waited until something is tried again.
    private static let pause: Duration = .seconds(30)

    private var writes: [String: () throws(FileError) -> Void] = [:]
    /// What keeps things from being written down, a sentence each, in the order of what it is about.
    private var reasons: [String: String] = [:]
    /// When it is tried again; nil: nothing waits.
    private(set) var deadline: MonotonicTime?

    /// What keeps things from being written down, a sentence each.
    var problems: [String] { reasons.sorted { $0.key < $1.key }.map { "\($0.key) can't be written down: \($0.value)" } }

    /// Writes something down, in place of what was to be written of the same.
    ///
    /// - Parameters:
    ///   - what: What it is, as the beginning of a sentence.
    ///   - now: The present.
    ///   - write: Writes it.
    mutating func keep(_ what: String, at now: MonotonicTime, _ write: @escaping () throws(FileError) -> Void) {
        writes[what] = write
        attempt(what, at: now)
    }

    /// Tries again what could not be written down, where it is time.
    mutating func retry(at now: MonotonicTime) {
        guard let deadline, deadline <= now else { return }
        self.deadline = nil
        for what in writes.keys.sorted() { attempt(what, at: now) }
    }

    private mutating func attempt(_ what: String, at now: MonotonicTime) {
        do throws(FileError) {
            try writes[what]?()
            (writes[what], reasons[what]) = (nil, nil)
        } catch {
            reasons[what] = error.description
        }
        if !writes.isEmpty { deadline = deadline ?? now + Self.pause }
    }
}
