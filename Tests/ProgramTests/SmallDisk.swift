import Foundation
import TestSupport

/// A small disk in memory, that only the programs see that are started on it: it is gone with the last of them.
struct SmallDisk {
    /// What a command begins with that is done on this disk.
    let entrance: [String]
    private let root: String

    /// The arguments of unshare(1) that give a program mounts of its own.
    static let nameSpaces = geteuid() == 0 ? ["--mount"] : ["--user", "--map-root-user", "--mount"]

    /// Whether this user may do that here.
    static let isPossible: Bool = {
        let mount = (["unshare"] + nameSpaces + ["mount -t tmpfs none /mnt"]).joined(separator: " ")
        return system("\(mount) > /dev/null 2>&1") == 0
    }()

    /// The disk of a program, as it is seen from here: through its own root.
    init(of program: Program, _ folder: String) {
        root = "/proc/\(program.id)/root\(folder)"
        let user = geteuid() == 0 ? [] : ["--user", "--preserve-credentials"]
        entrance = ["/usr/bin/nsenter", "--target", "\(program.id)", "--mount"] + user
    }

    /// Mounts a disk for programs that come and go, with what is in the folder.
    ///
    /// - Parameters:
    ///   - size: How big it is, in MB.
    ///   - folder: Where.
    ///   - house: Whose programs they are.
    /// - Throws: ``HarnessError``.
    /// - Returns: The disk.
    static func mount(_ size: Int, over folder: String, _ house: Household) async throws -> SmallDisk {
        let script = """
            cp -a "$0" "$0.before" && mount -t tmpfs -o size=\(size)m,mode=700 none "$0" &&
            cp -a "$0.before/." "$0" && echo mounted && exec tail -f /dev/null
            """
        let holder = try house.start("/usr/bin/unshare", nameSpaces + ["/bin/sh", "-c", script, folder])
        try await holder.output.next(with: "mounted")
        return SmallDisk(of: holder, folder)
    }

    /// Where a file of the disk is found from here.
    func path(_ name: String) -> String { "\(root)/\(name)" }

    /// Writes until there is no space left.
    func fill() throws {
        let filler = path("filler")
        let file = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw HarnessError(description: "\(filler): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        let zeros = [UInt8](repeating: 0, count: 65_536)
        while write(file, zeros, zeros.count) > 0 {}
    }

    /// Gives the space back.
    func free() {
        unlink(path("filler"))
    }
}
