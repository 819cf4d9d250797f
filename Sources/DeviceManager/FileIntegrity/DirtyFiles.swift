import DeviceModel

/// Files of which the kernel has told something, and when each is to be looked at.
struct DirtyFiles {
    /// A file, or a folder with all that is in it.
    struct Dirty: Hashable {
        var path: FilePath
        var isTree: Bool
    }

    /// How long somebody may go on writing before the file is looked at, closed or not.
    static let patience: Duration = .milliseconds(100)
    /// A file that is always being written to takes no more than this part of a core.
    private static let rest = 50
    /// What a look may cost before the next one has to wait.
    private static let cheap: Duration = .milliseconds(2)

    private var due: [FilePath: (at: MonotonicTime, isTree: Bool)] = [:]
    /// Files whose next look has to wait, because the last one was long.
    private var resting: [FilePath: MonotonicTime] = [:]

    /// When the next file is to be looked at; nil: none is.
    var deadline: MonotonicTime? { due.values.map(\.at).min() }

    /// The kernel has told something.
    mutating func note(_ news: FileNews, at now: MonotonicTime) {
        switch news {
        case .written(let path): add(path, now + Self.patience)
        case .changed(let path): add(path, now)
        case .folderChanged(let path): due[path] = (now, true)
        case .overflow: due = [:]  // every file is looked at
        }
    }

    private mutating func add(_ path: FilePath, _ moment: MonotonicTime) {
        let moment = max(moment, resting[path] ?? moment)
        let known = due[path]
        due[path] = (min(known?.at ?? moment, moment), known?.isTree ?? false)
    }

    /// The next file that is to be looked at now; nil: none is.
    mutating func next(at now: MonotonicTime) -> Dirty? {
        guard let next = due.first(where: { $0.value.at <= now }) else { return nil }
        due[next.key] = nil
        return Dirty(path: next.key, isTree: next.value.isTree)
    }

    /// A file was looked at.
    mutating func checked(_ path: FilePath, cost: Duration, at now: MonotonicTime) {
        if cost > Self.cheap { resting[path] = now + cost * Self.rest } else { resting[path] = nil }
        if resting.count > 1_000 { resting = resting.filter { $0.value > now } }
    }
}
