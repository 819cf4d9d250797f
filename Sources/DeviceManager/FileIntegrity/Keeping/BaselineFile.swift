import DeviceModel

/// Keeps a ``Baseline`` in a file of the state directory, wholly or not at all.
///
/// A line of text with its version, the counter, whether it is confirmed and how many files there are, then those as a
/// ``FileList``. SHA-256 of all that is the end: it finds damage, and is no protection against whoever writes the file.
struct BaselineFile {
    let path: String

    private static let title = "m2m baseline 1"
    /// The biggest file that is read: a million files with long names.
    private static let sizeLimit = 268_435_456

    /// What there is.
    enum Kept {
        case baseline(Baseline)
        case missing
        /// It is there and can't be used, for this reason.
        case damaged(String)
    }

    func read() -> Kept {
        do throws(FileError) {
            guard let bytes = try SafeFile.read(path, limit: Self.sizeLimit) else { return .missing }
            return Self.baseline(in: bytes).map(Kept.baseline) ?? .damaged("\(path) is damaged")
        } catch {
            return .damaged("\(error)")
        }
    }

    func write(_ baseline: Baseline) throws(FileError) {
        try SafeFile.write(Self.bytes(of: baseline), to: path)
    }

    static func bytes(of baseline: Baseline) -> [UInt8] {
        let state = baseline.isUnconfirmed ? "unconfirmed" : "confirmed"
        var bytes = Array("\(title) \(baseline.counter) \(state) \(baseline.entries.count)\n".utf8)
        bytes += FileList(baseline.entries).bytes
        return bytes + sha256(bytes).bytes
    }

    static func baseline(in bytes: [UInt8]) -> Baseline? {
        guard bytes.count > SHA256Hash.size else { return nil }
        let content = Array(bytes.dropLast(SHA256Hash.size))
        guard SHA256Hash(bytes: bytes.suffix(SHA256Hash.size)) == sha256(content),
            let end = content.firstIndex(of: 0x0A)
        else { return nil }
        let words = String(decoding: content[..<end], as: UTF8.self).split(separator: " ")
        guard words.count == 6, words.prefix(3).joined(separator: " ") == title, let counter = UInt64(words[3]),
            let count = Int(words[5]), ["confirmed", "unconfirmed"].contains(words[4])
        else { return nil }
        guard let list = FileList(bytes: content[(end + 1)...]), list.entries.count == count else { return nil }
        return Baseline(list.entries, counter: counter, isUnconfirmed: words[4] == "unconfirmed")
    }
}
