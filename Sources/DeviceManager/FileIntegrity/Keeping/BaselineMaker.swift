import CFiles
import DeviceModel
import Glibc

/// Makes a baseline of what is there.
struct BaselineMaker {
    let reader: FileReader
    /// Whether somebody still waits for it.
    let goesOn: () -> Bool

    /// How often, and how long after another, a file is tried that can't be looked at just now.
    private static let tries = 20
    private static let pause: useconds_t = 100_000

    /// Looks at every file of a walk.
    ///
    /// - Parameter walk: The walk.
    /// - Returns: The files; nil: nobody waits for them any more, so that some were left out.
    func entries(_ walk: TreeWalk) -> [FileEntry]? {
        var walk = walk
        walk.willMeet = { [reader] in reader.begin($0) }
        var entries: [FileEntry] = []
        while let step = walk.next() {
            guard goesOn() else { return nil }
            if let entry = entry(step) { entries.append(entry) }
        }
        return goesOn() ? entries : nil
    }

    /// A file as it is; what can't be looked at however often it is tried is unreadable.
    private func entry(_ step: TreeWalk.Step) -> FileEntry? {
        var look: FileReader.Look =
            step.problem.map { .unknown($0) } ?? reader.read(step.path, step.status, isListable: step.isListable)
        for _ in 0..<Self.tries where look.isUnknown && goesOn() {
            usleep(Self.pause)
            look = reader.read(step.path)
        }
        guard look.isUnknown else { return look.found?.entry }
        return FileEntry(
            path: step.path, kind: step.status.kind ?? .regular, mode: UInt16(step.status.mode & 0o7777),
            owner: step.status.owner, group: step.status.group, content: .unreadable)
    }
}
