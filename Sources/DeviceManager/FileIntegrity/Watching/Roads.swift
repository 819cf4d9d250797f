import DeviceModel
import Glibc

/// The folders on the way to trees of files: whoever gives one of them another name, or leads a link elsewhere, swaps what
/// is in the tree without touching it.
///
/// Links on the way are followed, so that a tree behind one (`/bin/ls`, where `/bin` leads to `/usr/bin`) is watched where
/// it really is.
struct Roads {
    /// What is found at a name in a folder on the way.
    private struct Turn {
        let name: ArraySlice<UInt8>
        let root: FilePath
        /// Whether the name is that of the root itself.
        let isEnd: Bool
    }

    /// How many links are followed on one way (path_resolution(7)).
    private static let linkLimit = 40

    private var turns: [FilePath: [Turn]] = [:]

    /// - Parameter roots: Where the trees begin.
    init(to roots: [FilePath]) {
        for root in roots { walk(to: root) }
    }

    /// All folders on the way, without a link in their names.
    var folders: some Collection<FilePath> { turns.keys }

    /// Whether a tree begins in a folder on the way, so that what is written to there counts, and not only what comes and
    /// goes.
    func isEnd(_ folder: FilePath) -> Bool {
        turns[folder]?.contains { $0.isEnd } ?? false
    }

    /// What it means for the trees that something happened in a folder on the way.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - name: The name in it with which something happened.
    ///   - isComing: Whether the name has come or gone.
    ///   - isFolder: Whether it is that of a folder.
    ///   - isWriting: Whether somebody writes, and may go on.
    /// - Returns: News of each tree that is meant.
    func news(
        in folder: FilePath, _ name: ArraySlice<UInt8>, isComing: Bool, isFolder: Bool, isWriting: Bool
    ) -> [FileNews] {
        guard let turns = turns[folder] else { return [] }
        return turns.filter { $0.name == name }.compactMap { turn in
            if turn.isEnd, !(isComing && isFolder) { return isWriting ? .written(turn.root) : .changed(turn.root) }
            return isComing ? .folderChanged(turn.root) : nil
        }
    }

    private mutating func walk(to root: FilePath) {
        var rest = Self.names(root.bytes)
        var folder = FilePath("/")
        var links = 0
        while let name = rest.popLast() {
            if name.elementsEqual([0x2E, 0x2E]) {
                folder = folder.folder ?? folder
                continue
            }
            turns[folder, default: []].append(Turn(name: name, root: root, isEnd: rest.isEmpty))
            let path = folder.appending(name)
            guard !rest.isEmpty, let target = path.linkTarget else {
                folder = path
                continue
            }
            links += 1
            guard links <= Self.linkLimit else { return }
            if target.first == UInt8(ascii: "/") { folder = FilePath("/") }
            rest += Self.names(target)
        }
    }

    /// The names in a path, the first one last.
    private static func names(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        bytes.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual([0x2E]) }.reversed()
    }
}
