import CFiles
import DeviceModel
import Glibc

/// What fanotify(7) tells of whole file systems: for whoever has the capability CAP_SYS_ADMIN.
///
/// Its queue has no end, and it names folder and file, by whatever name somebody has written to it.
final class FanotifyWatcher: FileWatcher {
    let name = "fanotify"
    let blindness = "writes through a memory mapping: the rolling check sees these"
    let descriptor: Int32
    /// What could not be watched, and why.
    private var problems: [FilePath: String] = [:]
    var problem: String? {
        problems.min { $0.key < $1.key }.map {
            $0.value + (problems.count > 1 ? " (and \(problems.count - 1) more)" : "")
        }
    }

    private let trees: FileTrees
    /// Folders, and files with what else they may be called, by the hash of their handles: two of one hash are looked at
    /// for one another, which costs a moment.
    private var folders: [Int: FilePath] = [:]
    private var files: [Int: FilePath] = [:]
    private var handles: [FilePath: Int] = [:]
    private var roads: Roads
    private var marked: Set<UInt64> = []
    private var buffer = [UInt8](repeating: 0, count: 65_536)
    /// How many times the buffer is filled until something else is to be done: some thousand events.
    private static let fillings = 4

    /// - Parameter trees: What is watched.
    /// - Throws: ``FileError`` where this process may not, or the kernel can't.
    init(_ trees: FileTrees) throws(FileError) {
        self.trees = trees
        roads = Roads(to: trees.roots)
        descriptor = cfiles_fanotify_open()
        guard descriptor >= 0 else { throw FileError("fanotify", -descriptor) }
        for root in trees.roots {
            let result = mark(root.folder ?? root)
            // `deinit` closes the descriptor.
            guard result == 0 else { throw FileError(root.description, -result) }
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    // MARK: Watches

    func watch(folder: FilePath) {
        note(folder) { folders[$0] = folder }
        let result = mark(folder)
        if result == 0 {
            if !problems.isEmpty { problems[folder] = nil }
        } else {
            problems[folder] =
                "\(folder) is on a file system that tells of no changes (\(errorText(-result))); every round sees them"
        }
    }

    func watch(file: FilePath, links: UInt32) {
        // A name that comes later in a folder elsewhere would not be told.
        note(file) { files[$0] = file }
    }

    func watchRoads() {
        roads = Roads(to: trees.roots)
        for folder in roads.folders { watch(folder: folder) }
    }

    /// Marks are on what was mounted: what is in its place has none.
    func remount() { marked = [] }

    /// Marks the file system on which a path is, where that is not done yet.
    private func mark(_ path: FilePath) -> Int32 {
        guard case .success(let status) = cfiles_status.of(path), !marked.contains(status.device) else { return 0 }
        let result = path.withCString { cfiles_fanotify_mark(descriptor, $0) }
        if result == 0 { marked.insert(status.device) }
        return result
    }

    private func note(_ path: FilePath, _ keep: (Int) -> Void) {
        var handle = [UInt8](repeating: 0, count: Int(CFILES_HANDLE_SIZE))
        let count = path.withCString { cfiles_handle($0, &handle) }
        guard count > 0 else { return }
        let hash = handle[..<Int(count)].hashValue
        if let old = handles[path], old != hash { drop(old, path) }
        handles[path] = hash
        keep(hash)
    }

    /// Forgets what a handle stands for, unless that is another path by now: two may have changed their places.
    private func drop(_ hash: Int, _ path: FilePath) {
        if folders[hash] == path { folders[hash] = nil }
        if files[hash] == path { files[hash] = nil }
    }

    func forget(_ path: FilePath) {
        if !problems.isEmpty { problems = problems.filter { !$0.key.isWithin(path) } }
        guard handles[path] != nil else { return }  // then nothing below it is known either
        for (other, hash) in handles where other.isWithin(path) && !roads.folders.contains(other) {
            handles[other] = nil
            drop(hash, other)
        }
    }

    // MARK: News

    func news() -> [FileNews] {
        var news: [FileNews] = []
        for _ in 0..<Self.fillings {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            var rest = buffer[..<count]
            while let event = FanotifyEvent(in: &rest) { news += translate(event) }
        }
        if news.contains(where: { $0.isArrival(of: trees.roots) }) { watchRoads() }
        return news
    }

    private func translate(_ event: FanotifyEvent) -> [FileNews] {
        if event.mask & UInt64(CFILES_FAN_Q_OVERFLOW) != 0 { return [.overflow] }
        let named = event.folder.flatMap { folders[$0] }.map { news(in: $0, event) } ?? []
        guard named.isEmpty, let file = event.file.flatMap({ files[$0] }) else { return named }
        return [news(of: file, event)]  // by another name than the one that is watched
    }

    private func news(in folder: FilePath, _ event: FanotifyEvent) -> [FileNews] {
        // A folder itself is called by its own name in the folder above, and `.` where that is not told.
        let isItself = event.name.elementsEqual([0x2E])
        let path = isItself ? folder : folder.appending(event.name)
        let onWay = roads.news(
            in: folder, event.name, isComing: event.isComing, isFolder: event.isFolder, isWriting: event.isWriting)
        guard trees.covers(path), isItself || !trees.roots.contains(path) else { return onWay }
        return onWay + [news(of: path, event)]
    }

    private func news(of path: FilePath, _ event: FanotifyEvent) -> FileNews {
        if event.isFolder, event.isComing { return .folderChanged(path) }
        return event.isWriting ? .written(path) : .changed(path)
    }
}

/// An event of fanotify: a struct fanotify_event_metadata and what follows it.
private struct FanotifyEvent {
    let mask: UInt64
    /// The hash of the handle of the folder in which it happened.
    private(set) var folder: Int?
    /// The name in that folder.
    private(set) var name: ArraySlice<UInt8> = []
    /// The hash of the handle of the file itself.
    private(set) var file: Int?

    private static let comings =
        UInt64(CFILES_FAN_CREATE | CFILES_FAN_MOVED_TO | CFILES_FAN_DELETE | CFILES_FAN_MOVED_FROM)

    var isFolder: Bool { mask & UInt64(CFILES_FAN_ONDIR) != 0 }
    /// Whether a name has come or gone.
    var isComing: Bool { mask & Self.comings != 0 }
    /// Whether somebody writes, and may go on.
    var isWriting: Bool {
        mask & UInt64(CFILES_FAN_MODIFY) != 0 && mask & (Self.comings | UInt64(CFILES_FAN_CLOSE_WRITE)) == 0
    }

    /// Takes the next one: length (4), version (1), reserved (1), length of the head (2), mask (8), descriptor (4),
    /// process (4); then records of kind (1), padding (1) and length (2), the file system's id (8), and a struct
    /// file_handle: how many bytes (4), type (4), the handle; and a name that ends with a zero.
    init?(in bytes: inout ArraySlice<UInt8>) {
        func number<Number: FixedWidthInteger>(_ offset: Int, as type: Number.Type) -> Number {
            bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: type) }
        }
        guard bytes.count >= 24 else { return nil }
        let (length, head) = (Int(number(0, as: UInt32.self)), Int(number(6, as: UInt16.self)))
        guard length >= head, head >= 24, length <= bytes.count else { return nil }
        mask = number(8, as: UInt64.self)
        let start = bytes.startIndex
        var offset = head
        while offset + 20 <= length {
            let (kind, size) = (Int32(bytes[start + offset]), Int(number(offset + 2, as: UInt16.self)))
            let count = Int(number(offset + 12, as: UInt32.self))
            guard size >= 20 + count, offset + size <= length else { break }
            let end = start + offset + 20 + count
            let hash = bytes[(start + offset + 4)..<end].hashValue
            if kind == CFILES_FAN_INFO_DFID_NAME {
                folder = hash
                name = bytes[end..<(start + offset + size)].prefix { $0 != 0 }
            } else if kind == CFILES_FAN_INFO_FID {
                file = hash
            }
            offset += size
        }
        bytes = bytes.dropFirst(length)
    }
}
