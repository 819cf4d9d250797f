import CFiles
import DeviceModel
import Glibc

/// What Debian's package manager knows of files: a second opinion on a file that has changed.
///
/// It proves nothing against somebody who can write both; it tells an update from a tampering that knows nothing of it.
/// The files are those of dpkg(1): `info/*.md5sums`, and the `Conffiles` in `status`.
struct PackageDatabase {
    /// Where dpkg keeps what it knows.
    let folder: String

    /// - Parameter folder: Where dpkg keeps what it knows.
    init(_ folder: String = "/var/lib/dpkg") {
        self.folder = folder
    }

    /// Whether a package may have a file: it is none of a person's, and not somewhere for a while.
    static func mayHave(_ path: FilePath) -> Bool {
        ["/bin", "/boot", "/etc", "/lib", "/opt", "/sbin", "/usr", "/var"].contains { path.isWithin(FilePath($0)) }
    }

    /// A package that has a file, and the checksum that the file is to have.
    struct Owner: Hashable {
        /// The package's name.
        var package: String
        /// MD5 in hexadecimal digits: what dpkg uses.
        var md5: String
    }

    private static let sizeLimit = 64 * 1_024 * 1_024
    /// The biggest file that is compared with its package, in bytes.
    private static let fileLimit: UInt64 = 1 << 28

    /// Which packages have files.
    ///
    /// - Parameter paths: The files.
    /// - Returns: The owner of each that a package has.
    func owners(of paths: Set<FilePath>) -> [FilePath: Owner] {
        // Each as the end of a line: two spaces, and the path without the slash at its beginning. Packages may still name a
        // file as it was called before /usr took in /bin, /sbin and /lib.
        var wanted: [(line: [UInt8], path: FilePath)] = []
        for path in paths {
            wanted.append((Array("  ".utf8) + path.bytes.dropFirst() + [0x0A], path))
            guard path.isWithin(FilePath("/usr")) else { continue }
            wanted.append((Array("  ".utf8) + path.bytes.dropFirst("/usr/".utf8.count) + [0x0A], path))
        }
        var owners: [FilePath: Owner] = [:]
        for name in Self.names(in: "\(folder)/info") where name.hasSuffix(".md5sums") {
            let package = String(name.dropLast(".md5sums".count).prefix { $0 != ":" })
            let sums = bytes("info/\(name)")
            for (line, path) in wanted {
                guard let place = Self.place(of: line, in: sums), place >= 32 else { continue }
                owners[path] = Owner(package: package, md5: String(decoding: sums[(place - 32)..<place], as: UTF8.self))
            }
        }
        readStatus([" /"]) { package, line in
            let words = line.split(separator: " ")
            guard words.count >= 2, words[1].utf8.count == 32 else { return }
            let path = FilePath(words[0])
            if paths.contains(path) { owners[path] = Owner(package: package, md5: String(words[1])) }
        }
        return owners
    }

    /// The versions of packages that are installed.
    func versions(of packages: Set<String>) -> [String: String] {
        var versions: [String: String] = [:]
        readStatus(["Version: "]) { package, line in
            guard packages.contains(package) else { return }
            versions[package] = String(line.dropFirst("Version: ".count))
        }
        return versions
    }

    /// What is to be said of changed files, which are read for it.
    ///
    /// - Parameters:
    ///   - paths: The files.
    ///   - goesOn: Whether somebody still waits for the answer.
    /// - Returns: A remark for each that a package has.
    func remarks(on paths: Set<FilePath>, goesOn: @escaping () -> Bool) -> [FilePath: PackageRemark] {
        let reader = try? FileReader(sizeLimit: Self.fileLimit) { _ in goesOn() }  // safe: then it has no opinion
        return remarks(on: paths) { reader?.md5($0) }
    }

    /// What is to be said of changed files.
    ///
    /// - Parameters:
    ///   - paths: The files.
    ///   - md5: MD5 of a file as it is, in hexadecimal digits; nil where it can't be read.
    /// - Returns: A remark for each that a package has.
    func remarks(on paths: Set<FilePath>, md5: (FilePath) -> String?) -> [FilePath: PackageRemark] {
        let owners = owners(of: paths)
        guard !owners.isEmpty else { return [:] }
        let versions = versions(of: Set(owners.values.map(\.package)))
        return owners.reduce(into: [:]) { remarks, entry in
            let (path, owner) = entry
            let package = "package \(owner.package)" + (versions[owner.package].map { " \($0)" } ?? "")
            let matches = md5(path) == owner.md5
            remarks[path] = PackageRemark(
                matches: matches, words: matches ? "it matches its \(package)" : "it is not as in its \(package)")
        }
    }

    /// Where bytes begin among others; nil: nowhere.
    private static func place(of part: [UInt8], in bytes: [UInt8]) -> Int? {
        let place = bytes.withUnsafeBytes { cfiles_find($0.baseAddress, $0.count, part, part.count) }
        return place < 0 ? nil : Int(place)
    }

    // MARK: Files

    private func bytes(_ name: String) -> [UInt8] {
        let bytes = try? SafeFile.read("\(folder)/\(name)", limit: Self.sizeLimit)  // safe: then it has no opinion
        return bytes.flatMap(\.self) ?? []
    }

    /// Goes through the lines of `status` that begin with one of these.
    private func readStatus(_ beginnings: [String], _ take: (_ package: String, _ line: String) -> Void) {
        var package = ""
        for line in bytes("status").split(separator: UInt8(ascii: "\n")) {
            if line.starts(with: "Package: ".utf8) {
                package = String(decoding: line.dropFirst("Package: ".utf8.count), as: UTF8.self)
            } else if beginnings.contains(where: { line.starts(with: $0.utf8) }) {
                take(package, String(decoding: line, as: UTF8.self))
            }
        }
    }

    private static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            names.append(String(decoding: name, as: UTF8.self))
        }
        return names
    }
}
