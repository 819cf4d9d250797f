import DeviceModel
import Glibc

/// What is mounted where, by the kernel's word: it is had without touching what is mounted, which may never answer.
///
/// The form of the file is that of proc_pid_mountinfo(5).
struct MountTable {
    /// Where something is on top that may never answer.
    private let places: Set<FilePath>

    /// Kinds of file systems that ask somebody else, who may be gone, and let everybody wait.
    private static let remote: Set<String> = [
        "9p", "afs", "autofs", "ceph", "cifs", "coda", "fuse", "fuseblk", "nfs", "nfs4", "smb3", "smbfs", "virtiofs",
    ]

    /// Nothing is mounted.
    init() {
        places = []
    }

    /// - Parameter text: What is in `/proc/self/mountinfo`.
    init(_ text: some StringProtocol) {
        var types: [FilePath: String] = [:]
        for line in text.split(separator: "\n") {
            // Number, number above, device, root, place, options, more of these until a minus; type, source, options.
            let words = line.split(separator: " ")
            guard words.count > 5, let end = words.dropFirst(5).firstIndex(of: "-"), end + 1 < words.count else {
                continue
            }
            types[Self.path(words[4])] = String(words[end + 1])
        }
        places = Set(types.filter { Self.remote.contains($0.value.prefix { $0 != "." }.description) }.keys)
    }

    /// What is mounted now; nothing where the kernel does not say.
    static func now() -> MountTable {
        let bytes = try? SafeFile.read("/proc/self/mountinfo", limit: 4_194_304)  // safe: then each place is looked at
        return MountTable(String(decoding: bytes.flatMap(\.self) ?? [], as: UTF8.self))
    }

    /// Whether a path is at, or behind, something below the beginning of a tree that may never answer.
    ///
    /// - Parameters:
    ///   - path: The path.
    ///   - root: Where its tree begins; what is mounted there, or above, was meant.
    /// - Returns: Whether it is; then it is not to be touched.
    func isRemote(_ path: FilePath, below root: FilePath) -> Bool {
        guard !places.isEmpty else { return false }
        var current: FilePath? = path
        while let one = current, one != root, one.isWithin(root) {
            if isRemote(one) { return true }
            current = one.folder
        }
        return false
    }

    /// Whether something is mounted just there that may never answer.
    func isRemote(_ path: FilePath) -> Bool {
        !places.isEmpty && places.contains(path)
    }

    /// A path with octal numbers for what would end a word: `\040` is a space.
    private static func path(_ word: some StringProtocol) -> FilePath {
        var bytes: [UInt8] = []
        var rest = Array(word.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let escaped = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                bytes.append(escaped)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return FilePath(bytes: bytes)
    }
}
