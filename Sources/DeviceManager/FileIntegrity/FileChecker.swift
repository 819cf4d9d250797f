import CFiles
import DeviceModel

/// Compares files with their baseline, and remembers what it has read, so that it need not read it again.
///
/// One thread uses it.
final class FileChecker {
    /// How files differ: by path, nil where they don't.
    typealias Findings = [FilePath: FileChange?]

    private let trees: FileTrees
    private let watcher: (any FileWatcher)?
    private let reader: FileReader
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
    init(_ trees: FileTrees, watcher: (any FileWatcher)?, reader: FileReader, baseline: Baseline) {
        self.trees = trees
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
    func check(_ path: FilePath, into findings: inout Findings) {
        let found = reader.read(path)
        let index = baseline.index(of: path)
        let isFolder = found?.entry.kind == .folder
        if isFolder != (index.map { baseline.entries[$0].kind } == .folder) {
            return checkAll(from: path, into: &findings)
        }
        note(path, found, at: index, into: &findings)
        if let found, found.entry.kind == .regular { watcher?.watch(file: path, links: found.links) }
    }

    /// Looks at a folder and all below it, or at what is there in its place.
    func checkAll(from path: FilePath, into findings: inout Findings) {
        watcher?.forget(path)
        var round = CheckRound(self, from: path)
        while round.advance(.from(nil), into: &findings) {}
    }

    // MARK: For a round

    func walk(from path: FilePath?) -> TreeWalk {
        var walk = path.map { TreeWalk(trees, from: $0) } ?? TreeWalk(trees)
        walk.willList = { [watcher] folder in watcher?.watch(folder: folder) }
        return walk
    }

    /// Takes note of a file that was met.
    ///
    /// - Parameters:
    ///   - step: The file.
    ///   - index: Where it stands in the baseline.
    ///   - isRead: Whether it is read even if it seems to be what it was.
    ///   - findings: Takes how it differs.
    func meet(_ step: TreeWalk.Step, at index: Int?, isRead: Bool, into findings: inout Findings) {
        let known = index.map { stamps[$0] } ?? others[step.path]
        let stamp = FileStamp(step.status)
        if step.status.kind == .regular, known.map({ !$0.isSameFile(as: stamp) }) ?? true || step.status.links > 1 {
            watcher?.watch(file: step.path, links: step.status.links)
        }
        if !isRead, let known, known == stamp { return }
        note(step.path, reader.read(step.path, step.status, isListable: step.isListable), at: index, into: &findings)
    }

    /// Takes note of a file of the baseline that was not met.
    func miss(_ index: Int, into findings: inout Findings) {
        note(baseline.entries[index].path, nil, at: index, into: &findings)
    }

    /// Forgets files that are none of the baseline and were not met.
    func missOthers(than met: Set<FilePath>, within path: FilePath?, into findings: inout Findings) {
        for other in others.keys where !met.contains(other) && path.map(other.isWithin) ?? true {
            note(other, nil, at: nil, into: &findings)
        }
    }

    private func note(_ path: FilePath, _ found: FileReader.Found?, at index: Int?, into findings: inout Findings) {
        let before = index.map { baseline.entries[$0] }
        let known = index.map { stamps[$0] } ?? others[path]
        if let index { stamps[index] = found?.stamp } else { others[path] = found?.stamp }
        var change = FileChange.between(before, found?.entry)
        if change == nil, let known, let found, !known.isSameFile(as: found.stamp) {
            change = FileChange(path: path, kinds: [.replaced], before: before, now: found.entry)
        }
        // What was just said of it in the same breath was about what was there a moment before.
        if change == nil, let said = findings[path], let said, !said.isViolation { return }
        findings.updateValue(change, forKey: path)
    }
}

/// One time through all files, or through a part of them, bit by bit.
struct CheckRound {
    /// What is read again although it seems to be what it was.
    enum Depth {
        /// Everything.
        case everything
        /// What comes from a path on; nil: nothing.
        case from(FilePath?)
    }

    private let checker: FileChecker
    private let start: FilePath?
    private var walk: TreeWalk
    private var rest: Range<Int>
    private var met: Set<FilePath> = []
    /// What is hidden by what is mounted over it.
    private var hidden: FilePath?
    /// The file that was met last.
    private(set) var place: FilePath?

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
            checker.missOthers(than: met, within: start, into: &findings)
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
        if step.status.kind == .folder, step.isListable, !step.isEntered { hidden = step.path }
        place = step.path
        let isRead =
            switch depth {
            case .everything: true
            case .from(let start): start.map { $0 <= step.path } ?? false
            }
        checker.meet(step, at: index, isRead: isRead, into: &findings)
        return true
    }

    private func miss(_ index: Int, into findings: inout FileChecker.Findings) {
        if let hidden, checker.baseline.entries[index].path.isWithin(hidden) { return }
        checker.miss(index, into: &findings)
    }
}
