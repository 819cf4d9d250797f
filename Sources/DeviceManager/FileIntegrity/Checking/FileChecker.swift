import CFiles
import DeviceModel
import Glibc

/// Compares files with their baseline, and remembers what it has read, so that it need not read it again.
///
/// One thread uses it.
final class FileChecker {
    /// How files differ: by path, nil where they don't any more.
    typealias Findings = [FilePath: FileChange?]

    private let trees: FileTrees
    private let watcher: (any FileWatcher)?
    private let reader: FileReader
    /// What is mounted where; whoever knows better says so.
    var mounts: MountTable
    /// The files of which it was said that they differ: only of these it is said that they don't any more.
    private var different: Set<FilePath> = []
    /// What could not be looked at just now, and why.
    private(set) var puzzles: [FilePath: SystemProblem] = [:]
    /// How often a file has been borrowed by somebody when it was to be looked at.
    private var borrowed: [FilePath: Int] = [:]
    /// How often that may be: whoever borrows it for longer keeps it from being looked at.
    private static let patience = 30
    /// What the files are meant to be.
    private(set) var baseline: Baseline
    /// The stamp of each entry of the baseline when it was read last; nil: it was not there, or never read.
    private var stamps: [FileStamp?]
    /// The same of files that are none of the baseline.
    private var others: [FilePath: FileStamp] = [:]

    /// - Parameters:
    ///   - trees: What is watched.
    ///   - watcher: Who is told which folders there are.
    ///   - reader: Who reads files.
    ///   - baseline: What they are meant to be.
    ///   - mounts: What is mounted where.
    init(
        _ trees: FileTrees, watcher: (any FileWatcher)?, reader: FileReader, baseline: Baseline, mounts: MountTable
    ) {
        self.trees = trees
        self.mounts = mounts
        self.watcher = watcher
        self.reader = reader
        self.baseline = baseline
        stamps = Array(repeating: nil, count: baseline.entries.count)
    }

    /// How many bytes were read so far.
    var bytesRead: UInt64 { reader.bytesRead }

    /// From now on the files are meant to be like this.
    func adopt(_ new: Baseline) {
        var known = others
        for (entry, stamp) in zip(baseline.entries, stamps) { known[entry.path] = stamp }
        baseline = new
        stamps = new.entries.map { known.removeValue(forKey: $0.path) }
        others = known
    }

    /// Looks at one file; at all below it, too, where it is a folder and was none, or the other way round.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - findings: Takes how it differs.
    /// - Returns: Whether something is known of it; false: it has to be tried again.
    func check(_ path: FilePath, into findings: inout Findings) -> Bool {
        // What is behind a mount that may never answer is hidden by it; the round says that it is there.
        if let root = trees.root(of: path), mounts.isRemote(path, below: root) { return true }
        let look = reader.read(path)
        let index = baseline.index(of: path)
        let found = look.found
        let isFolder = found?.entry.kind == .folder
        if isFolder != (index.map { baseline.entries[$0].kind } == .folder), !look.isUnknown {
            checkAll(from: path, into: &findings)
            return true
        }
        note(path, look, at: index, into: &findings)
        if let found, found.entry.kind == .regular { watcher?.watch(file: path, links: found.links) }
        return !look.isUnknown
    }

    /// Looks at a folder and all below it, or at what is there in its place.
    func checkAll(from path: FilePath, into findings: inout Findings) {
        watcher?.forget(path)
        var round = CheckRound(self, from: path)
        while round.advance(.changed, into: &findings) {}
    }

    // MARK: For a round

    func walk(from path: FilePath?) -> TreeWalk {
        var walk = path.map { TreeWalk(trees, mounts: mounts, from: $0) } ?? TreeWalk(trees, mounts: mounts)
        walk.willList = { [watcher] folder in watcher?.watch(folder: folder) }
        walk.willMeet = { [reader] path in reader.begin(path) }
        return walk
    }

    /// Takes note of a file that was met.
    ///
    /// - Parameters:
    ///   - step: The file.
    ///   - index: Where it stands in the baseline.
    ///   - isRead: Whether it is read even if it seems to be what it was.
    ///   - findings: Takes how it differs.
    /// - Returns: Whether it was read although it seemed to be what it was.
    func meet(_ step: TreeWalk.Step, at index: Int?, isRead: Bool, into findings: inout Findings) -> Bool {
        if let problem = step.problem {
            note(step.path, FileReader.Look(problem), at: index, into: &findings)
            return false
        }
        guard !step.isRemote else {
            note(step.path, .found(mounted(step, at: index)), at: index, into: &findings)
            return false
        }
        let known = index.map { stamps[$0] } ?? others[step.path]
        let stamp = FileStamp(step.status)
        if step.status.kind == .regular, known.map({ !$0.isSameFile(as: stamp) }) ?? true || step.status.links > 1 {
            watcher?.watch(file: step.path, links: step.status.links)
        }
        if !isRead, let known, known == stamp { return false }
        note(step.path, reader.read(step.path, step.status, isListable: step.isListable), at: index, into: &findings)
        return known == stamp
    }

    /// A folder over which something is mounted that may never answer: it is what it was, but for that.
    private func mounted(_ step: TreeWalk.Step, at index: Int?) -> FileReader.Found {
        var entry = FileEntry(path: step.path, kind: .folder, mode: 0, owner: 0, group: 0)
        if let index {
            let before = baseline.entries[index]
            (entry.mode, entry.owner, entry.group) = (before.mode, before.owner, before.group)
        }
        entry.isMounted = true
        return FileReader.Found(entry: entry, stamp: FileStamp(step.status), links: 1)
    }

    /// Takes note of a file of the baseline that was not met.
    func miss(_ index: Int, into findings: inout Findings) {
        note(baseline.entries[index].path, .missing, at: index, into: &findings)
    }

    /// Forgets files that are none of the baseline and were not met, but for those that are hidden.
    func missOthers(
        than met: Set<FilePath>, within path: FilePath?, hidden: FilePath?, into findings: inout Findings
    ) {
        for other in others.keys where !met.contains(other) && path.map(other.isWithin) ?? true {
            if let hidden, other.isWithin(hidden) { continue }
            note(other, .missing, at: nil, into: &findings)
        }
    }

    /// A file that nobody lets be looked at: as far as is known it is what it was.
    private static func denied(_ path: FilePath, _ before: FileEntry?) -> FileReader.Found {
        var entry = before ?? FileEntry(path: path, kind: .regular, mode: 0, owner: 0, group: 0)
        entry.content = .unreadable
        return FileReader.Found(entry: entry, stamp: FileStamp(cfiles_status()), links: 1)
    }

    private func note(_ path: FilePath, _ look: FileReader.Look, at index: Int?, into findings: inout Findings) {
        let before = index.map { baseline.entries[$0] }
        if case .unknown(let problem) = look {
            // The next round looks at it again: it has no stamp.
            if let index { stamps[index] = nil }
            if problem.errno == EAGAIN { borrowed[path, default: 0] += 1 }
            guard borrowed[path, default: 0] > Self.patience else { return puzzles[path] = problem }
        } else if !borrowed.isEmpty {
            borrowed[path] = nil
        }
        let known = index.map { stamps[$0] } ?? others[path]
        if !puzzles.isEmpty { puzzles[path] = nil }
        var found = look.found
        if found == nil, !look.isMissing { found = Self.denied(path, before) }
        if let index { stamps[index] = found?.stamp } else { others[path] = found?.stamp }
        var change = FileChange.between(before, found?.entry)
        if change == nil, let known, let found, !known.isSameFile(as: found.stamp) {
            change = FileChange(path: path, kinds: [.replaced], before: before, now: found.entry)
        }
        guard let change else {
            if !different.isEmpty, different.remove(path) != nil { findings.updateValue(nil, forKey: path) }
            return
        }
        if change.isViolation { different.insert(path) } else { different.remove(path) }
        findings.updateValue(change, forKey: path)
    }
}
