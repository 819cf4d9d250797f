import DeviceModel

/// What the packages say of changed files, and of which of them they are to be asked again.
struct SecondOpinions {
    /// Of how many files at a time the packages are asked.
    private static let bound = 50
    /// How long they are left alone when they were asked: they take their time.
    private static let pause: Duration = .seconds(5)
    /// How long an update may take from writing a file to saying so.
    private static let patience: Duration = .seconds(20)

    /// What they have said.
    private(set) var remarks: [FilePath: String] = [:]
    private var askedAt: MonotonicTime?
    private var again: (at: MonotonicTime, paths: [FilePath])?
    private let database: PackageDatabase
    /// What they say of a file that is as they want it.
    private var matching: Set<FilePath> = []

    init(_ database: PackageDatabase = PackageDatabase()) {
        self.database = database
    }

    /// When they are to be asked again; nil: never.
    var deadline: MonotonicTime? { again?.at }

    /// Files have changed: their packages may not know it yet.
    mutating func remember(_ changes: [FileChange], at now: MonotonicTime) {
        let paths = (again?.paths ?? []) + changes.map(\.path).filter(PackageDatabase.mayHave)
        guard !paths.isEmpty else { return }
        again = (now + Self.patience, Array(paths.prefix(Self.bound)))
    }

    /// The files that are to be asked about now; nil: none.
    mutating func due(at now: MonotonicTime) -> [FilePath]? {
        guard let waiting = again, waiting.at <= now else { return nil }
        again = nil
        return waiting.paths.filter { !matching.contains($0) }
    }

    /// Asks, unless that was done a moment ago.
    ///
    /// - Parameters:
    ///   - paths: The files.
    ///   - reader: Reads them.
    ///   - now: The present.
    /// - Returns: Those that match their packages, and did not before.
    mutating func ask(_ paths: [FilePath], _ reader: FileReader, at now: MonotonicTime) -> [FilePath] {
        let paths = Set(paths.filter(PackageDatabase.mayHave).prefix(Self.bound))
        guard !paths.isEmpty, askedAt.map({ $0 + Self.pause <= now }) ?? true else { return [] }
        askedAt = now
        var new: [FilePath] = []
        for (path, remark) in database.remarks(on: paths, md5: { reader.md5($0) }) {
            remarks[path] = remark
            if remark.hasPrefix(PackageDatabase.matches), matching.insert(path).inserted { new.append(path) }
        }
        return new
    }

    /// Forgets what was said of other files than those.
    mutating func keep(_ isKept: (FilePath) -> Bool) {
        guard !remarks.isEmpty else { return }
        remarks = remarks.filter { isKept($0.key) }
        matching = matching.filter(isKept)
    }
}
