/// What a release changes in files: signed by whoever makes it, so that no owner has to look at each change.
///
/// A text, so that people and other tools can read it, and write it:
///
/// ```
/// m2m-manifest 1
/// release m2m-agent 0.2.0
/// - file 0755 0 0 1234 SHA256 /usr/bin/m2m-agent
/// + file 0755 0 0 1299 SHA256 /usr/bin/m2m-agent
/// signature ED25519
/// ```
///
/// A line with a minus is a file as it was, one with a plus as it is from then on: kind, permissions in octal, owner,
/// group, size, content, path. The content of a file is its SHA-256, that of a link where it leads, and of a folder a
/// minus. Links and paths are escaped as ``FilePath/description`` has them, with spaces in links as `\x20`. The signature is
/// over everything before its line.
public struct ReleaseManifest: Hashable, Sendable {
    /// What was released, such as `m2m-agent 0.2.0`.
    public var release: String
    /// What changes, each path once, in the order of the paths.
    public var changes: [FileChange]
    /// Ed25519 over ``signed``; none where it is not signed yet.
    public var signature: [UInt8]

    /// How many bytes a manifest may have.
    public static let limit = 262_144
    /// How many bytes a signature has (RFC 8032).
    public static let signatureSize = 64
    private static let title = "m2m-manifest 1"

    /// What a release changes.
    public init(release: String, changes: [FileChange], signature: [UInt8] = []) {
        self.release = release
        self.changes = changes
        self.signature = signature
    }

    /// The bytes that are signed.
    public var signed: [UInt8] {
        var lines = [Self.title, "release \(release)"]
        for change in changes {
            if let before = change.before { lines.append("- \(before.manifestLine)") }
            if let now = change.now { lines.append("+ \(now.manifestLine)") }
        }
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    /// The whole text.
    public var text: String {
        String(decoding: signed, as: UTF8.self) + "signature \(signature.hexadecimal)\n"
    }

    /// Reads a manifest.
    ///
    /// - Parameter text: The text of its file.
    /// - Throws: ``ManifestError`` with the line that is wrong.
    public init(_ text: String) throws(ManifestError) {
        guard text.utf8.count <= Self.limit else { throw ManifestError(1, "it has more than \(Self.limit) bytes") }
        let lines = text.split(separator: Character("\n"), omittingEmptySubsequences: false).map(String.init)
        if let place = text.utf8.firstIndex(of: UInt8(ascii: "\r")) {
            let line = text.utf8[..<place].count { $0 == UInt8(ascii: "\n") } + 1
            throw ManifestError(
                line, "it ends with a carriage return, and has to end as it was signed, with a line feed")
        }
        guard lines.first == Self.title else { throw ManifestError(1, "it does not begin with '\(Self.title)'") }
        guard lines.count > 1, lines[1].hasPrefix("release "), lines[1].count > 8 else {
            throw ManifestError(2, "it does not say what was released: 'release NAME VERSION'")
        }
        release = String(lines[1].dropFirst("release ".count))
        var (before, now): ([FilePath: FileEntry], [FilePath: FileEntry]) = ([:], [:])
        var number = 2
        while number < lines.count, let sign = lines[number].first, sign == "-" || sign == "+" {
            guard let entry = FileEntry(manifestLine: lines[number].dropFirst(2)) else {
                throw ManifestError(number + 1, "this is no file: KIND MODE UID GID SIZE CONTENT PATH")
            }
            let isNew = sign == "+"
            let other =
                isNew ? now.updateValue(entry, forKey: entry.path) : before.updateValue(entry, forKey: entry.path)
            guard other == nil else { throw ManifestError(number + 1, "\(entry.path) is there already") }
            number += 1
        }
        guard number < lines.count, lines[number].hasPrefix("signature "),
            let signature = [UInt8](hexadecimal: lines[number].dropFirst("signature ".count)),
            signature.count == Self.signatureSize
        else { throw ManifestError(number + 1, "here has to be 'signature' and \(2 * Self.signatureSize) digits") }
        guard lines.dropFirst(number + 1).allSatisfy(\.isEmpty) else {
            throw ManifestError(number + 2, "nothing may follow the signature")
        }
        self.signature = signature
        let paths = Set(before.keys).union(now.keys)
        guard paths.count <= IntegrityExpectation.limit else {
            throw ManifestError(1, "it changes more than \(IntegrityExpectation.limit) files")
        }
        changes = paths.sorted().compactMap { FileChange.between(before[$0], now[$0]) }
        // What is signed is what was read, or it says something else to somebody else.
        let read = lines[..<number].joined(separator: "\n") + "\n"
        guard signed == Array(read.utf8) else {
            throw ManifestError(1, "its lines are not in their order, or not written as they are to be")
        }
    }
}

extension ReleaseManifest {
    /// What the release changes on a device.
    ///
    /// Files that are not watched there are none of its business, and those that are as it wants them are done.
    ///
    /// - Parameter approved: What the device's files are meant to be until then, in the order of their paths.
    /// - Returns: The changes; none where there is nothing to do.
    /// - Throws: ``ManifestError`` with a file that is approved as something else than what the release replaces.
    public func changes(to approved: [FileEntry]) throws(ManifestError) -> [FileChange] {
        let known = approved.reduce(into: [FilePath: FileEntry]()) { $0[$1.path] = $1 }
        var result: [FileChange] = []
        for change in changes {
            let current = known[change.path]
            let isWatched = current != nil || change.path.folder.map { known[$0]?.kind == .folder } ?? false
            guard isWatched, current != change.now else { continue }
            guard current == change.before else {
                let words =
                    FileChange.between(change.before, current)?.text
                    ?? "\(change.path): it is not what the release replaces"
                throw ManifestError(nil, "this release is for other files than were approved here: \(words)")
            }
            result.append(change)
        }
        return result
    }
}

/// What is wrong with a manifest.
public struct ManifestError: ExplainedError, Hashable {
    /// The line, from 1; nil: the whole.
    public let line: Int?
    /// What is wrong there.
    public let words: String

    init(_ line: Int?, _ words: String) {
        self.line = line
        self.words = words
    }

    /// Always a bad request.
    public var code: ErrorCode { .badRequest }
    /// The manifest.
    public var resource: String { "manifest" }
    /// The mistake in words.
    public var description: String { line.map { "line \($0) of the manifest: \(words)" } ?? words }
}

extension FileEntry {
    /// The entry as a line of a manifest has it, without its sign.
    fileprivate var manifestLine: String {
        let content =
            switch content {
            case .digest(let digest): digest.description
            case .target(let target):
                FilePath(bytes: target).description.split(separator: " ", omittingEmptySubsequences: false)
                    .joined(separator: "\\x20")
            case .none, .tooLarge, .unreadable: "-"
            }
        return "\(kind.word) \(mode.octal) \(owner) \(group) \(size) \(content) \(path)"
    }

    /// - Parameter line: What ``manifestLine`` has given; nil for anything else.
    fileprivate init?(manifestLine line: Substring) {
        let words = line.split(separator: Character(" "), maxSplits: 6, omittingEmptySubsequences: false).map(
            String.init)
        guard words.count == 7, let kind = FileKind.allCases.first(where: { $0.word == words[0] }),
            let mode = UInt16(words[1], radix: 8), mode <= 0o7777, let owner = UInt32(words[2]),
            let group = UInt32(words[3]), let size = UInt64(words[4]), let path = FilePath(escaped: words[6])
        else { return nil }
        let content: FileContent
        switch kind {
        case .regular:
            guard let digest = [UInt8](hexadecimal: words[5]).flatMap({ SHA256Hash(bytes: $0) }) else { return nil }
            content = .digest(digest)
        case .link:
            guard let target = FilePath(escaped: words[5]) else { return nil }
            content = .target(target.bytes)
        case .folder where words[5] == "-": content = .none
        default: return nil
        }
        self.init(path: path, kind: kind, mode: mode, owner: owner, group: group, size: size, content: content)
    }
}
