public import DeviceModel
import Glibc

/// Which files are watched: trees, and what is left out of them.
public struct FileTrees: Hashable, Sendable {
    /// Where the trees begin: files or folders, in the order of a walk, none within another.
    public let roots: [FilePath]
    private let excludes: [String]

    /// - Parameters:
    ///   - paths: Where the trees begin; from this process's folder on where they don't begin with a slash.
    ///   - excludes: Patterns of fnmatch(3), over whole paths; an asterisk stands for slashes, too.
    public init(_ paths: [String], excludes: [String] = []) {
        var roots: [FilePath] = []
        for path in paths.map({ FilePath($0).whole.straight }).sorted()
        where !roots.contains(where: { path.isWithin($0) }) {
            roots.append(path)
        }
        self.roots = roots
        self.excludes = excludes.map {
            $0.hasPrefix("/") ? $0 : String(decoding: FilePath($0).whole.bytes, as: UTF8.self)
        }
    }

    /// Whether a path is watched.
    func covers(_ path: FilePath) -> Bool {
        root(of: path).map { !isExcluded(path, below: $0) } ?? false
    }

    /// Where the tree begins in which a path is; nil: it is in none.
    func root(of path: FilePath) -> FilePath? {
        roots.first { path.isWithin($0) }
    }

    /// Whether a path is left out, by itself.
    func isExcluded(_ path: FilePath) -> Bool {
        guard !excludes.isEmpty else { return false }
        return path.withCString { path in excludes.contains { fnmatch($0, path, 0) == 0 } }
    }

    /// Whether a path, or a folder above it, is left out.
    private func isExcluded(_ path: FilePath, below root: FilePath) -> Bool {
        var current: FilePath? = path
        while let one = current, one.isWithin(root) {
            if isExcluded(one) { return true }
            current = one.folder
        }
        return false
    }
}

extension FilePath {
    /// The same from the root on.
    fileprivate var whole: FilePath {
        bytes.first == UInt8(ascii: "/") ? self : FilePath.current.appending(bytes)
    }

    /// The same without detours: `/etc/m2m/../passwd` is `/etc/passwd`, as long as `/etc/m2m` is no link.
    fileprivate var straight: FilePath {
        guard bytes.first == UInt8(ascii: "/") else { return self }
        var names: [ArraySlice<UInt8>] = []
        for name in bytes.split(separator: UInt8(ascii: "/")) {
            if name.elementsEqual([0x2E, 0x2E]) {
                _ = names.popLast()
            } else if !name.elementsEqual([0x2E]) {
                names.append(name)
            }
        }
        return names.reduce(FilePath("/")) { $0.appending($1) }
    }
}
