import DeviceModel

/// Of what people are still to be told; what comes within a moment is told together, so that many changes are few alarms.
struct Announcements {
    /// How long nothing is told after something was.
    static let quiet: Duration = .seconds(1)

    /// Files that are not as approved.
    private var changed: Set<FilePath> = []
    /// Files that were replaced by others that are like them.
    private var replaced: [FilePath: FileChange] = [:]
    /// Files that are as approved again.
    private var mended: Set<FilePath> = []
    /// Changes that were gone again before anybody was told of them.
    private var passed: [FilePath: FileChange] = [:]
    private var quietUntil: MonotonicTime?

    /// When there is something to tell; nil: there is nothing, or it may be told at once.
    var deadline: MonotonicTime? { isEmpty ? nil : quietUntil }

    private var isEmpty: Bool { changed.isEmpty && replaced.isEmpty && mended.isEmpty }

    /// Whether people are to be told of a file that is not as approved.
    var hasChanges: Bool { !changed.isEmpty }

    /// The same with nothing to tell.
    var emptied: Announcements {
        var empty = Announcements()
        (empty.replaced, empty.quietUntil) = (replaced, quietUntil)
        return empty
    }

    /// A file is not as approved.
    mutating func changed(_ path: FilePath) {
        changed.insert(path)
        mended.remove(path)
    }

    /// A file was replaced by another that is like it.
    mutating func replaced(_ change: FileChange) { replaced[change.path] = change }

    /// A file is as approved again.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - change: How it was, which is told too; nil: of what nobody was told yet nobody needs to be.
    mutating func mended(_ path: FilePath, before change: FileChange?) {
        let isUntold = changed.remove(path) != nil
        guard isUntold else { return _ = mended.insert(path) }
        guard let change else { return }
        mended.insert(path)
        passed[path] = change
    }

    /// Nobody needs to be told of a change.
    mutating func forget(_ path: FilePath) { changed.remove(path) }

    /// Nobody needs to be told of some changes.
    mutating func forget(where isMeant: (FilePath) -> Bool) { changed = changed.filter { !isMeant($0) } }

    /// The changes of which people are to be told.
    ///
    /// - Parameter changes: How files are by now.
    /// - Returns: What has become of one file, once.
    func untold(of changes: [FilePath: FileChange]) -> [FileChange] {
        FileChange.paired(changed.compactMap { changes[$0] })
    }

    /// What people are told now.
    ///
    /// - Parameters:
    ///   - changes: How files are by now.
    ///   - now: The present.
    /// - Returns: The news; nil: it is not time for any.
    mutating func take(_ changes: [FilePath: FileChange], at now: MonotonicTime) -> [IntegrityNews]? {
        guard !isEmpty, quietUntil.map({ $0 <= now }) ?? true else { return nil }
        var news: [IntegrityNews] = []
        if !replaced.isEmpty { news.append(IntegrityNews(.replaced, FileChange.paired(Array(replaced.values)))) }
        // What was changed and is as approved again is both.
        let all = passed.filter { changes[$0.key] == nil }.values + changed.compactMap { changes[$0] }
        if !all.isEmpty { news.append(IntegrityNews(.changed, FileChange.paired(Array(all)))) }
        if !mended.isEmpty { news.append(IntegrityNews(.mended, words)) }
        self = Announcements()
        quietUntil = now + Self.quiet
        return news
    }

    private var words: String {
        let names = mended.sorted().prefix(5).map(\.description).joined(separator: ", ")
        return names + (mended.count > 5 ? " and \(mended.count - 5) more" : "") + ": as approved again"
    }
}
