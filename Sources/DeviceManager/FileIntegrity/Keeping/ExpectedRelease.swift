import DeviceModel

/// A release that is on its way to the device: what it brings is no alarm.
struct ExpectedRelease: Hashable {
    let expectation: IntegrityExpectation
    /// What each file is to be; nil: it is to be gone.
    private let files: [FilePath: FileEntry?]

    /// How dpkg(1) calls a file until it is whole, and the one that it replaces until that is gone.
    private static let temporary = [".dpkg-new", ".dpkg-tmp"]

    init(_ expectation: IntegrityExpectation) {
        self.expectation = expectation
        files = expectation.changes.reduce(into: [:]) { $0.updateValue($1.now, forKey: $1.path) }
    }

    /// Whether a change is of the release, or the trace of its being on the way: dpkg(1) unpacks all files of a package,
    /// also those that the release leaves as they are.
    ///
    /// - Parameters:
    ///   - change: The change.
    ///   - isMeant: Whether a file is one that is meant to be there.
    /// - Returns: Whether it is no alarm.
    func brings(_ change: FileChange, _ isMeant: (FilePath) -> Bool) -> Bool {
        if let file = files[change.path] { return file == change.now }
        guard change.before == nil, let now = change.now, now.kind == .regular, now.mode <= 0o777 else { return false }
        return Self.temporary.contains { ending in
            let bytes = change.path.bytes
            guard bytes.count > ending.utf8.count, bytes.suffix(ending.utf8.count).elementsEqual(ending.utf8) else {
                return false
            }
            let path = FilePath(bytes: bytes.dropLast(ending.utf8.count))
            return files[path] != nil || isMeant(path)
        }
    }

    /// The changes of the release, where all of it has come; nil: something is still missing, or a trace is left.
    ///
    /// - Parameters:
    ///   - changes: How files differ.
    ///   - isMeant: Whether a file is one that is meant to be there.
    /// - Returns: The changes that are of the release.
    func arrived(in changes: [FilePath: FileChange], _ isMeant: (FilePath) -> Bool) -> [FileChange]? {
        let arrived = files.compactMap { path, file in changes[path].flatMap { $0.now == file ? $0 : nil } }
        guard arrived.count == files.count else { return nil }
        return changes.values.count(where: { brings($0, isMeant) }) == files.count ? arrived : nil
    }
}

extension ExpectedRelease {
    /// The text of its file: a line with the counter and the root, and then a manifest, whose signature is none, for the
    /// router has seen it.
    var text: String {
        let signature = [UInt8](repeating: 0, count: ReleaseManifest.signatureSize)
        let manifest = ReleaseManifest(
            release: expectation.release, changes: expectation.changes, signature: signature)
        return "m2m expectation 1 \(expectation.counter) \(expectation.root)\n\(manifest.text)"
    }

    /// - Parameter text: What ``text`` has given; nil for anything else.
    init?(_ text: String) {
        guard let end = text.firstIndex(of: "\n") else { return nil }
        let words = text[..<end].split(separator: " ")
        guard words.count == 5, words.prefix(3).elementsEqual(["m2m", "expectation", "1"]),
            let counter = UInt64(words[3]),
            let root = [UInt8](hexadecimal: words[4]).flatMap({ SHA256Hash(bytes: $0) })
        else { return nil }
        do throws(ManifestError) {
            let manifest = try ReleaseManifest(String(text[text.index(after: end)...]))
            self.init(
                IntegrityExpectation(
                    release: manifest.release, changes: manifest.changes, root: root, counter: counter))
        } catch {
            return nil
        }
    }
}
