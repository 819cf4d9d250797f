import DeviceModel

/// Who is told by the kernel when something happens to files.
protocol FileWatcher: AnyObject {
    /// How it is called in a status.
    var name: String { get }
    /// What it can't see at once, in words.
    var blindness: String { get }
    /// Readable when there is news.
    var descriptor: Int32 { get }
    /// What it could not do, in words; nil: nothing.
    var problem: String? { get }

    /// Takes note of a folder whose names are watched from now on; what happens in it after this is told.
    func watch(folder: FilePath)
    /// Takes note of a file that can be written to by another name.
    ///
    /// - Parameters:
    ///   - file: The file.
    ///   - links: How many names it has.
    func watch(file: FilePath, links: UInt32)
    /// Takes note of everything on the way to the roots, as it is now.
    func watchRoads()
    /// Something was mounted, or is mounted no more: what is on a file system may not be what it was.
    func remount()
    /// Forgets all at a path and below it.
    func forget(_ path: FilePath)
    /// What has happened since it was asked last; some thousand events at a time, so that who makes news faster than it
    /// is read keeps nobody reading for ever.
    func news() -> [FileNews]
}

/// What the kernel tells.
enum FileNews: Hashable {
    /// Somebody writes to a file, and may go on.
    case written(FilePath)
    /// A file is another one, has other things in it, or is gone.
    case changed(FilePath)
    /// A folder has come, is gone, or is another one: everything in it has to be looked at.
    case folderChanged(FilePath)
    /// There was more than the kernel has kept.
    case overflow
}

extension FileNews {
    /// Whether it is that one of these paths has come, is gone, or is another one.
    func isArrival(of paths: [FilePath]) -> Bool {
        switch self {
        case .changed(let path), .folderChanged(let path): paths.contains(path)
        case .written, .overflow: false
        }
    }
}
