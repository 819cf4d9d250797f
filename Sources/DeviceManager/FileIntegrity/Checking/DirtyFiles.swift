import DeviceModel

/// Files of which the kernel has told something, and when each is to be looked at.
///
/// At most 4096 wait; where there are more, all files are looked at instead.
struct DirtyFiles {
    /// A file, or a folder with all that is in it.
    struct Dirty: Hashable {
        var path: FilePath
        var isTree: Bool
    }

    /// How many files may wait.
    static let bound = 4_096
    /// How long somebody may go on writing before the file is looked at, closed or not.
    static let patience: Duration = .milliseconds(100)
    /// How long is waited where a file can't be looked at for now.
    private static let pause: Duration = .seconds(1)
    /// A file that is always being written to takes no more than this part of a core.
    private static let rest = 50
    /// What a look may cost before the next one has to wait.
    private static let cheap: Duration = .milliseconds(2)

    private var waiting: [FilePath: (at: MonotonicTime, isTree: Bool)] = [:]
    /// Files whose next look has to wait, because the last one was long.
    private var resting: [FilePath: MonotonicTime] = [:]

    /// When the next file is to be looked at; nil: none is.
    private(set) var deadline: MonotonicTime?

    /// The kernel has told something.
    ///
    /// - Parameters:
    ///   - news: What it has told.
    ///   - now: The present.
    /// - Returns: Whether it was taken; false: every file is to be looked at, and none waits any more.
    mutating func note(_ news: FileNews, at now: MonotonicTime) -> Bool {
        switch news {
        case .written(let path): add(path, now + Self.patience)
        case .changed(let path): add(path, now)
        case .folderChanged(let path): add(path, now, isTree: true)
        case .overflow: break
        }
        guard news == .overflow || waiting.count > Self.bound else { return true }
        (waiting, deadline) = ([:], nil)
        return false
    }

    private mutating func add(_ path: FilePath, _ moment: MonotonicTime, isTree: Bool = false) {
        let moment = isTree ? moment : max(moment, resting[path] ?? moment)
        let known = waiting[path]
        waiting[path] = (min(known?.at ?? moment, moment), isTree || known?.isTree ?? false)
        deadline = min(deadline ?? moment, moment)
    }

    /// The files that are to be looked at now; they wait no more.
    mutating func due(at now: MonotonicTime) -> [Dirty] {
        guard let deadline, deadline <= now else { return [] }
        let due = waiting.filter { $0.value.at <= now }
        for path in due.keys { waiting[path] = nil }
        self.deadline = waiting.values.map(\.at).min()
        return due.map { Dirty(path: $0.key, isTree: $0.value.isTree) }
    }

    /// A file was looked at.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - cost: What that has cost.
    ///   - isOver: Whether something is known of it; false: it has to be tried again.
    ///   - now: The present.
    mutating func checked(_ path: FilePath, cost: Duration, isOver: Bool, at now: MonotonicTime) {
        if cost > Self.cheap { resting[path] = now + cost * Self.rest } else { resting[path] = nil }
        if resting.count > 1_000 { resting = resting.filter { $0.value > now } }
        if !isOver { add(path, now + Self.pause) }
    }
}
