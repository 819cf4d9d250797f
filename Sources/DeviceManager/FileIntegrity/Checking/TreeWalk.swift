import CFiles
import DeviceModel
import Glibc

/// Goes through trees of files, one after the other, in the order of their paths.
///
/// It follows no links, and does not go into what is mounted below the beginning of a tree: that is another tree.
struct TreeWalk {
    /// A file on the way.
    struct Step {
        var path: FilePath
        var status: cfiles_status
        /// Whether the names in it can be listed, where it is a folder.
        var isListable = true
        /// Whether the walk goes into it.
        var isEntered = false
        /// Why nothing is known of it just now; nil: it was looked at.
        var problem: SystemProblem?
        /// Whether something is mounted there that may never answer, so that it was not touched.
        var isRemote = false
    }

    /// Told of a folder before its names are listed: who watches it from then on misses nothing that comes later.
    var willList: (FilePath) -> Void = { _ in }
    /// Told of each file before it is looked at.
    var willMeet: (FilePath) -> Void = { _ in }

    private let trees: FileTrees
    private let mounts: MountTable
    /// What is still to be looked at: the next one last.
    private var rest: [(path: FilePath, isRoot: Bool)]

    /// A walk through everything.
    init(_ trees: FileTrees, mounts: MountTable) {
        self.trees = trees
        self.mounts = mounts
        rest = trees.roots.reversed().map { ($0, true) }
    }

    /// A walk through a part of the trees: a file, or a folder and all below it.
    init(_ trees: FileTrees, mounts: MountTable, from path: FilePath) {
        self.trees = trees
        self.mounts = mounts
        let roots = trees.roots.filter { $0.isWithin(path) }
        rest = roots.isEmpty ? [(path, false)] : roots.reversed().map { ($0, true) }
        if roots.isEmpty, !trees.covers(path) { rest = [] }
    }

    /// The next file; nil: that was all.
    mutating func next() -> Step? {
        while let (path, isRoot) = rest.popLast() {
            guard !trees.isExcluded(path) else { continue }
            guard isRoot || !mounts.isRemote(path) else {
                return Step(path: path, status: .mountedFolder, isRemote: true)
            }
            willMeet(path)
            let status: cfiles_status
            switch cfiles_status.of(path) {
            case .success(let found): status = found
            case .failure(let problem):
                if case .missing = FileReader.Look(problem) { continue }
                return Step(path: path, status: cfiles_status(), problem: problem)
            }
            guard status.kind != nil else { continue }
            var step = Step(path: path, status: status)
            if status.kind == .folder, isRoot || !status.is_mounted {
                willList(path)
                switch Self.names(in: path) {
                case .success(let names):
                    step.isEntered = true
                    for name in names.reversed() {
                        // What is deeper than a path can say is in a folder that can't be listed wholly.
                        guard path.bytes.count + 1 + name.count < FilePath.limit else {
                            step.isListable = false
                            continue
                        }
                        rest.append((path.appending(name), false))
                    }
                case .failure(let problem) where FileReader.passing.contains(problem.errno): step.problem = problem
                case .failure: step.isListable = false
                }
            }
            return step
        }
        return nil
    }

    /// Whether the names in a folder can be listed.
    static func isListable(_ folder: FilePath) -> Bool {
        let descriptor = open(folder)
        if descriptor >= 0 { close(descriptor) }
        return descriptor >= 0
    }

    private static func open(_ folder: FilePath) -> Int32 {
        folder.withCString { Glibc.open($0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
    }

    /// The names in a folder, in their order, or why they can't be listed.
    private static func names(in folder: FilePath) -> Result<[[UInt8]], SystemProblem> {
        let descriptor = open(folder)
        guard descriptor >= 0 else { return .failure(SystemProblem(errno)) }
        guard let stream = fdopendir(descriptor) else {
            defer { close(descriptor) }
            return .failure(SystemProblem(errno))
        }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != [0x2E], name != [0x2E, 0x2E] { names.append(name) }
        }
        // At its end readdir(3) leaves the error number as it was.
        guard errno == 0 else { return .failure(SystemProblem(errno)) }
        return .success(names.sorted { $0.lexicographicallyPrecedes($1) })
    }
}
