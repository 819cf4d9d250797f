import CFiles
import DeviceModel
import Glibc

/// Makes a baseline of what is there.
struct BaselineMaker {
    let reader: FileReader
    /// Whether somebody still waits for it.
    let goesOn: () -> Bool

    /// How often files are tried again in all, and how long after another, that can't be looked at just now.
    private static let tries = 100
    private static let pause: useconds_t = 100_000

    /// Looks at every file of a walk.
    ///
    /// - Parameter walk: The walk.
    /// - Returns: The files; nil: nobody waits for them any more, so that some were left out.
    func entries(_ walk: TreeWalk) -> [FileEntry]? {
        var walk = walk
        walk.willMeet = { [reader] in reader.begin($0) }
        var entries: [FileEntry] = []
        var tries = Self.tries
        while let step = walk.next() {
            guard goesOn() else { return nil }
            if let entry = entry(step, &tries) { entries.append(entry) }
        }
        return goesOn() ? entries : nil
    }

    /// A file as it is; what can't be looked at however often it is tried is unreadable.
    private func entry(_ step: TreeWalk.Step, _ tries: inout Int) -> FileEntry? {
        var look: FileReader.Look =
            step.problem.map { .init($0) } ?? reader.read(step.path, step.status, isListable: step.isListable)
        while look.isUnknown, tries > 0, goesOn() {
            tries -= 1
            usleep(Self.pause)
            look = reader.read(step.path)
        }
        switch look {
        case .found(let found): return found.entry
        case .missing: return nil
        case .unknown, .denied: break
        }
        return FileEntry(
            path: step.path, kind: step.status.kind ?? .regular, mode: UInt16(step.status.mode & 0o7777),
            owner: step.status.owner, group: step.status.group, content: .unreadable)
    }
}
