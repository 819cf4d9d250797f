/// How a file differs from what was approved.
public struct FileChange: Hashable, Sendable {
    /// In what a file can differ.
    public enum Kind: String, Sendable, CaseIterable {
        /// It was not there.
        case added
        /// It is not there any more.
        case removed
        /// It was there under another name.
        case renamed
        /// It was one thing, and is another: a file, a folder, a link.
        case type
        /// Something is mounted there, or is no more.
        case mount
        /// Something else is in it; a link leads elsewhere.
        case content
        /// It has other permissions.
        case mode
        /// It belongs to another user or group.
        case owner
        /// It can't be read any more, or can be now, so that its content can't be compared.
        case unreadable
        /// Another file has taken its place, and is like it in everything that counts.
        case replaced
    }

    /// Where it is, or was.
    public var path: FilePath
    /// In what it differs, in the order of ``Kind``; at least one.
    public var kinds: [Kind]
    /// What was approved; nil: nothing was there.
    public var before: FileEntry?
    /// What is there; nil: nothing is.
    public var now: FileEntry?
    /// What its name was, where it was renamed.
    public var from: FilePath?
    /// What else is known of it, such as that it matches its package.
    public var remark: String?

    /// A change of these parts.
    public init(
        path: FilePath, kinds: [Kind], before: FileEntry? = nil, now: FileEntry? = nil, from: FilePath? = nil,
        remark: String? = nil
    ) {
        self.path = path
        self.kinds = kinds
        self.before = before
        self.now = now
        self.from = from
        self.remark = remark
    }

    /// In what two entries of one path differ.
    ///
    /// - Parameters:
    ///   - before: What was approved; nil: nothing was there.
    ///   - now: What is there; nil: nothing is.
    /// - Returns: The change; nil: there is none.
    public static func between(_ before: FileEntry?, _ now: FileEntry?) -> FileChange? {
        guard let path = before?.path ?? now?.path, before != now else { return nil }
        guard let before else { return FileChange(path: path, kinds: [.added], now: now) }
        guard let now else { return FileChange(path: path, kinds: [.removed], before: before) }
        var kinds: [Kind] = []
        if before.kind != now.kind { kinds.append(.type) }
        if before.isMounted != now.isMounted { kinds.append(.mount) }
        if before.kind == now.kind {
            if before.isReadable != now.isReadable {
                kinds += before.size == now.size ? [] : [.content]
            } else if !before.hasSameContent(as: now) {
                kinds.append(.content)
            }
        }
        if before.mode != now.mode { kinds.append(.mode) }
        if before.owner != now.owner || before.group != now.group { kinds.append(.owner) }
        if before.kind == now.kind, before.isReadable != now.isReadable { kinds.append(.unreadable) }
        return FileChange(path: path, kinds: kinds, before: before, now: now)
    }

    /// Whether it is something else than what was approved, and not only another file that is like it.
    public var isViolation: Bool { kinds != [.replaced] }

    /// All changes between two lists that are in their order; files that were renamed are recognised by their content.
    public static func all(from before: [FileEntry], to now: [FileEntry]) -> [FileChange] {
        var changes: [FileChange] = []
        var (old, new) = (before[...], now[...])
        while let path = [old.first?.path, new.first?.path].compactMap(\.self).min() {
            let left = old.first?.path == path ? old.popFirst() : nil
            let right = new.first?.path == path ? new.popFirst() : nil
            if let change = between(left, right) { changes.append(change) }
        }
        return paired(changes)
    }

    /// What there is when changes are made.
    ///
    /// - Parameters:
    ///   - changes: What differs, each path once.
    ///   - entries: What there was, in the order of the paths.
    /// - Returns: The files, in the order of their paths.
    public static func apply(_ changes: some Collection<FileChange>, to entries: [FileEntry]) -> [FileEntry] {
        guard !changes.isEmpty else { return entries }
        var gone = Set(changes.compactMap(\.from))
        gone.formUnion(changes.map(\.path))
        var rest = changes.compactMap(\.now).sorted { $0.path < $1.path }[...]
        var new: [FileEntry] = []
        new.reserveCapacity(entries.count + changes.count)
        for entry in entries where !gone.contains(entry.path) {
            while let next = rest.first, next.path < entry.path {
                new.append(next)
                rest = rest.dropFirst()
            }
            new.append(entry)
        }
        return new + rest
    }

    /// The same changes, where a file that is gone and one that has come with its content are one that was renamed.
    ///
    /// - Parameter changes: Changes of different paths.
    /// - Returns: The changes in the order of their paths.
    public static func paired(_ changes: [FileChange]) -> [FileChange] {
        var gone: [SHA256Hash: [FileChange]] = [:]
        for change in changes where change.kinds == [.removed] {
            if case .digest(let digest) = change.before?.content, change.before?.size != 0 {
                gone[digest, default: []].append(change)
            }
        }
        guard !gone.isEmpty else { return changes.sorted { $0.path < $1.path } }
        var renamed: Set<FilePath> = []
        var result = changes.map { change -> FileChange in
            guard change.kinds == [.added], case .digest(let digest) = change.now?.content,
                let old = gone[digest]?.popLast()
            else { return change }
            renamed.insert(old.path)
            var kinds: [Kind] = [.renamed]
            if old.before?.mode != change.now?.mode { kinds.append(.mode) }
            if old.before?.owner != change.now?.owner || old.before?.group != change.now?.group { kinds.append(.owner) }
            return FileChange(
                path: change.path, kinds: kinds, before: old.before, now: change.now, from: old.path,
                remark: change.remark)
        }
        result.removeAll { $0.kinds == [.removed] && renamed.contains($0.path) }
        return result.sorted { $0.path < $1.path }
    }
}

extension FileEntry {
    fileprivate var isReadable: Bool { content != .unreadable }
}
