import CFiles
import DeviceModel
import Glibc

/// What inotify(7) tells of trees of files: a watch for each folder, for each file with several names, and for each folder
/// on the way to a tree.
final class InotifyWatcher: FileWatcher {
    let name = "inotify"
    let blindness =
        "writes through a memory mapping, and writes by another name that a file got after it was looked at: "
        + "the rolling check sees these"
    let descriptor: Int32
    /// What could not be watched, and why.
    private var problems: [FilePath: String] = [:]
    var problem: String? {
        problems.min { $0.key < $1.key }.map {
            $0.value + (problems.count > 1 ? " (and \(problems.count - 1) more)" : "")
        }
    }

    private let trees: FileTrees
    private var roads: Roads
    private var watches: [Int32: (path: FilePath, isFile: Bool)] = [:]
    private var numbers: [FilePath: Int32] = [:]
    private var buffer = [UInt8](repeating: 0, count: 65_536)
    /// How many times the buffer is filled until something else is to be done: some thousand events.
    private static let fillings = 4

    private static let folderMask =
        CFILES_IN_MODIFY | CFILES_IN_ATTRIB | CFILES_IN_CLOSE_WRITE | CFILES_IN_MOVED_FROM | CFILES_IN_MOVED_TO
        | CFILES_IN_CREATE | CFILES_IN_DELETE | CFILES_IN_DELETE_SELF | CFILES_IN_MOVE_SELF | CFILES_IN_ONLYDIR
        | CFILES_IN_DONT_FOLLOW
    private static let fileMask =
        CFILES_IN_MODIFY | CFILES_IN_ATTRIB | CFILES_IN_CLOSE_WRITE | CFILES_IN_DONT_FOLLOW
    private static let roadMask = comings | CFILES_IN_ONLYDIR | CFILES_IN_DONT_FOLLOW
    private static let comings =
        CFILES_IN_CREATE | CFILES_IN_MOVED_TO | CFILES_IN_DELETE | CFILES_IN_MOVED_FROM

    /// - Parameter trees: What is watched.
    /// - Throws: ``FileError`` where the kernel gives no more of them.
    init(_ trees: FileTrees) throws(FileError) {
        self.trees = trees
        roads = Roads(to: trees.roots)
        descriptor = cfiles_inotify_open()
        guard descriptor >= 0 else { throw FileError("inotify", -descriptor) }
    }

    deinit { close(descriptor) }

    // MARK: Watches

    func watch(folder: FilePath) { add(folder, isFile: false, Self.folderMask) }

    func watch(file: FilePath, links: UInt32) {
        if links > 1 { add(file, isFile: true, Self.fileMask) }
    }

    func watchRoads() {
        roads = Roads(to: trees.roots)
        for folder in roads.folders {
            // A busy folder on the way wakes nobody for what is written there.
            let mask = roads.isEnd(folder) ? Self.folderMask : Self.roadMask
            add(folder, isFile: false, mask | CFILES_IN_MASK_ADD)
        }
    }

    func remount() {}  // a watch stays with what is mounted, and what comes in its place gets one by the next round

    private func add(_ path: FilePath, isFile: Bool, _ mask: UInt32) {
        let number = path.withCString { cfiles_inotify_add(descriptor, $0, mask) }
        guard number >= 0 else {
            switch -number {
            // There is none; where it comes, the folder above tells.
            case ENOENT, ENOTDIR, ELOOP: problems[path] = nil
            case ENOSPC:
                problems[path] =
                    "\(path) can't be watched: the kernel watches no more files and folders for this user "
                    + "(fs.inotify.max_user_watches); the rolling check sees it"
            case let error: problems[path] = "\(path) can't be watched: \(errorText(error)); the rolling check sees it"
            }
            return
        }
        if !problems.isEmpty { problems[path] = nil }
        // A folder that was moved keeps its watch: it has the new name from now on.
        if let before = watches[number], before.path != path { numbers[before.path] = nil }
        if let other = numbers[path], other != number { watches[other] = nil }
        watches[number] = (path, isFile)
        numbers[path] = number
    }

    func forget(_ path: FilePath) {
        if !problems.isEmpty { problems = problems.filter { !$0.key.isWithin(path) } }
        guard numbers[path] != nil else { return }  // then nothing below it is watched either
        for (other, number) in numbers where other.isWithin(path) && !roads.folders.contains(other) {
            _ = cfiles_inotify_remove(descriptor, number)
            (numbers[other], watches[number]) = (nil, nil)
        }
    }

    // MARK: News

    func news() -> [FileNews] {
        var news: [FileNews] = []
        for _ in 0..<Self.fillings {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            var offset = 0
            while let event = Event(in: buffer[..<count], at: &offset) { news += translate(event) }
        }
        // The way leads elsewhere, or is there at last.
        if news.contains(where: { $0.isArrival(of: trees.roots) }) { watchRoads() }
        return news
    }

    private func translate(_ event: Event) -> [FileNews] {
        if event.mask & CFILES_IN_Q_OVERFLOW != 0 { return [.overflow] }
        guard let watch = watches[event.watch] else { return [] }
        if event.mask & (CFILES_IN_IGNORED | CFILES_IN_UNMOUNT) != 0 {
            watches[event.watch] = nil
            if numbers[watch.path] == event.watch { numbers[watch.path] = nil }
            return []
        }
        let isWriting = event.mask & CFILES_IN_MODIFY != 0
        if watch.isFile { return [isWriting ? .written(watch.path) : .changed(watch.path)] }
        guard !event.name.isEmpty else {
            // Where it was moved or deleted, the folder above tells what is there now.
            return event.mask & CFILES_IN_ATTRIB != 0 && trees.covers(watch.path) ? [.changed(watch.path)] : []
        }
        let (isComing, isFolder) = (event.mask & Self.comings != 0, event.mask & CFILES_IN_ISDIR != 0)
        let onWay = roads.news(
            in: watch.path, event.name, isComing: isComing, isFolder: isFolder, isWriting: isWriting)
        let path = watch.path.appending(event.name)
        guard trees.covers(path), !trees.roots.contains(path) else { return onWay }
        if isFolder, isComing { return onWay + [.folderChanged(path)] }
        return onWay + [isWriting ? .written(path) : .changed(path)]
    }
}

/// A struct inotify_event: watch (4), mask (4), cookie (4), length (4), and a name that is filled up with zeros.
private struct Event {
    let watch: Int32
    let mask: UInt32
    let name: ArraySlice<UInt8>

    init?(in bytes: ArraySlice<UInt8>, at offset: inout Int) {
        let head = 16
        guard bytes.count - offset >= head else { return nil }
        let (watch, mask, length) = bytes.withUnsafeBytes { raw in
            (
                raw.loadUnaligned(fromByteOffset: offset, as: Int32.self),
                raw.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self),
                Int(raw.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
            )
        }
        guard bytes.count - offset - head >= length else { return nil }
        (self.watch, self.mask) = (watch, mask)
        name = bytes[(offset + head)..<(offset + head + length)].prefix { $0 != 0 }
        offset += head + length
    }
}
