extension FileChange {
    /// The change in a line, such as `/etc/passwd: mode 0644 -> 0666, owner 0:0 -> 1000:0`.
    public var text: String {
        let details = kinds.map { kind in detail(kind) ?? kind.rawValue }.joined(separator: ", ")
        return "\(path): \(details)" + (remark.map { " (\($0))" } ?? "")
    }

    private func detail(_ kind: Kind) -> String? {
        switch kind {
        case .added: return now.map { "added, \($0.words)" }
        case .removed: return before.map { "removed, it was \($0.words)" }
        case .renamed: return from.map { "renamed, it was \($0)" }
        case .replaced: return "replaced by another file that is like it"
        case .unreadable:
            return now?.content == .unreadable ? "cannot be read any more" : "can be read now, which it could not be"
        default: break
        }
        guard let before, let now else { return nil }
        switch kind {
        case .type: return "it was \(before.words), and is \(now.words)"
        case .mount: return now.isMounted ? "something is mounted over it" : "nothing is mounted there any more"
        case .mode: return "mode \(before.mode.octal) -> \(now.mode.octal)"
        case .owner: return "owner \(before.owner):\(before.group) -> \(now.owner):\(now.group)"
        case .content:
            if case (.target(let old), .target(let new)) = (before.content, now.content) {
                return "leads to \(FilePath(bytes: new)) and not to \(FilePath(bytes: old))"
            }
            return before.size == now.size ? "content" : "content, \(before.size) -> \(now.size) bytes"
        default: return nil
        }
    }
}

extension FileEntry {
    /// What it is, such as `a file` or `a link to /etc/passwd`.
    fileprivate var words: String {
        if case .target(let target) = content { return "a link to \(FilePath(bytes: target))" }
        return "a \(kind.word)"
    }
}

extension UInt16 {
    /// Permissions as chmod(1) takes them, such as `0644`.
    public var octal: String { padded(to: 4, radix: 8) }
}

extension Collection<FileChange> {
    /// The first few of them in a sentence.
    public var summary: String {
        let shown = 5
        let named = prefix(shown).map(\.text).joined(separator: "; ")
        return count > shown ? "\(named); and \(count - shown) more" : named
    }
}
