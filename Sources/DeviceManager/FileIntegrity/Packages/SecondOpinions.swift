import DeviceModel

/// What the packages say of changed files, and of which of them they are to be asked, and when.
///
/// At most 50 files are asked about at a time; of more, nothing is said.
struct SecondOpinions {
    private static let bound = 50
    /// How long they are left alone when they were asked: they take their time.
    private static let pause: Duration = .seconds(5)
    /// How long an update may take from writing a file to saying so.
    private static let patience: Duration = .seconds(20)

    /// What they have said.
    private(set) var remarks: [FilePath: String] = [:]
    /// What they were asked about, and have not answered yet.
    private var asked: [FilePath: FileChange] = [:]
    private var askedAt: MonotonicTime?
    private var waiting: (at: MonotonicTime, changes: [FilePath: FileChange])?
    /// What they have said of a file that is as they want it.
    private var matching: Set<FilePath> = []

    /// When they are to be asked; nil: never.
    var deadline: MonotonicTime? { asked.isEmpty ? waiting?.at : nil }

    /// Files have changed: their packages are asked at once, and again when an update has had its time.
    ///
    /// - Parameters:
    ///   - changes: The changes of which people were told.
    ///   - now: The present.
    /// - Returns: The files to ask about now; none where they were asked a moment ago.
    mutating func remember(_ changes: [FileChange], at now: MonotonicTime) -> Set<FilePath> {
        var all = waiting?.changes ?? [:]
        for change in changes where PackageDatabase.mayHave(change.path) && all.count < Self.bound {
            all[change.path] = change
            // What was said of it before was said of another content.
            matching.remove(change.path)
        }
        guard !all.isEmpty else { return [] }
        waiting = (now + Self.patience, all)
        guard asked.isEmpty, askedAt.map({ $0 + Self.pause <= now }) ?? true else { return [] }
        (asked, askedAt) = (all, now)
        return Set(all.keys)
    }

    /// The files that are to be asked about now, because an update has had its time.
    mutating func due(at now: MonotonicTime) -> Set<FilePath> {
        guard let deadline, deadline <= now, let waiting else { return [] }
        asked = waiting.changes.filter { !matching.contains($0.key) }
        (self.waiting, askedAt) = (nil, now)
        return Set(asked.keys)
    }

    /// They have answered.
    ///
    /// - Parameter answers: A remark for each file that a package has.
    /// - Returns: The changes after which a file matches its package, of which nothing was said before.
    mutating func heard(_ answers: [FilePath: PackageRemark]) -> [FileChange] {
        defer { asked = [:] }
        remarks.merge(answers.mapValues(\.words)) { $1 }
        let new = answers.filter { $0.value.matches && matching.insert($0.key).inserted }
        return new.keys.compactMap { asked[$0]?.remarked(remarks) }.sorted { $0.path < $1.path }
    }

    /// Forgets what was said of other files than those.
    mutating func keep(_ isKept: (FilePath) -> Bool) {
        guard !remarks.isEmpty || !matching.isEmpty else { return }
        remarks = remarks.filter { isKept($0.key) }
        matching = matching.filter { isKept($0) || waiting?.changes[$0] != nil }
    }
}
