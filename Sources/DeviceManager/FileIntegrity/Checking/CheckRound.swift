import CFiles
import DeviceModel

/// One time through all files, or through a part of them, bit by bit.
struct CheckRound {
    /// What is read again although it seems to be what it was.
    enum Depth {
        /// Everything.
        case everything
        /// What comes after a path.
        case after(FilePath)
        /// Nothing: only what seems to be another one is read.
        case changed
    }

    private let checker: FileChecker
    private let start: FilePath?
    private var walk: TreeWalk
    private var rest: Range<Int>
    private var met: Set<FilePath> = []
    /// What is hidden: by what is mounted over it, or because it can't be looked at.
    private var hidden: FilePath?
    /// The file that was read last although it seemed to be what it was.
    private(set) var lastRead: FilePath?
    /// How long the thread has worked at reading such files.
    private(set) var readingTime: Duration = .zero

    /// - Parameters:
    ///   - checker: Who looks at files.
    ///   - path: Where it begins and ends; nil: everything.
    init(_ checker: FileChecker, from path: FilePath? = nil) {
        self.checker = checker
        start = path
        walk = checker.walk(from: path)
        rest = path.map(checker.baseline.range) ?? 0..<checker.baseline.entries.count
    }

    /// Looks at the next file.
    ///
    /// - Parameters:
    ///   - depth: What is read.
    ///   - findings: Takes how it differs.
    /// - Returns: Whether there is more.
    mutating func advance(_ depth: Depth, into findings: inout FileChecker.Findings) -> Bool {
        guard let step = walk.next() else {
            for index in rest { miss(index, into: &findings) }
            checker.missOthers(than: met, within: start, hidden: hidden, into: &findings)
            return false
        }
        while let index = rest.first, checker.baseline.entries[index].path < step.path {
            miss(index, into: &findings)
            rest = rest.dropFirst()
        }
        var index: Int?
        if let next = rest.first, checker.baseline.entries[next].path == step.path {
            index = next
            rest = rest.dropFirst()
        } else {
            met.insert(step.path)
        }
        if step.status.kind == .folder && !step.isEntered || step.problem != nil { hidden = step.path }
        let isRead =
            switch depth {
            case .everything: true
            case .after(let path): path < step.path
            case .changed: false
            }
        let before = isRead ? cfiles_thread_ns() : 0
        if checker.meet(step, at: index, isRead: isRead, into: &findings) {
            lastRead = step.path
            readingTime += .nanoseconds(cfiles_thread_ns() - before)
        }
        return true
    }

    private func miss(_ index: Int, into findings: inout FileChecker.Findings) {
        if let hidden, checker.baseline.entries[index].path.isWithin(hidden) { return }
        checker.miss(index, into: &findings)
    }
}
