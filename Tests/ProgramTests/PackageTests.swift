import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: a package that is installed again in a window raises no alarm; outside it does, and people are told that
    /// the files match their package.
    ///
    /// The package is made here, and is gone from this machine afterwards.
    @Suite(
        .serialized, .timeLimit(.minutes(3)),
        .enabled(
            if: getuid() == 0 && access("/usr/bin/apt-get", X_OK) == 0 && access("/usr/bin/dpkg-deb", X_OK) == 0,
            "packages are installed by root, on Debian")
    )
    struct PackageTests {
        private static let package = "m2m-test-package-\(getpid())"
        private static let place = "/opt/\(package)"

        /// Makes a version of the package.
        private func make(_ house: Household, _ version: String) async throws -> String {
            let top = "package-\(version)"
            let folder = house.folder.file("\(top)\(Self.place)")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try FileManager.default.createDirectory(
                atPath: house.folder.file("\(top)/DEBIAN"), withIntermediateDirectories: true)
            try house.folder.write("\(top)\(Self.place)/tool", "version \(version)\n")
            let md5 = try house.done(
                await house.run("/usr/bin/md5sum", [house.folder.file("\(top)\(Self.place)/tool")]))
            let sum = md5.output.joined().prefix(32)
            try house.folder.write("\(top)/DEBIAN/md5sums", "\(sum)  \(Self.place.dropFirst())/tool\n")
            try house.folder.write(
                "\(top)/DEBIAN/control",
                """
                Package: \(Self.package)
                Version: \(version)
                Architecture: all
                Maintainer: m2m <m2m@example.org>
                Description: a package of m2m's tests

                """)
            let file = house.folder.file("\(Self.package)_\(version)_all.deb")
            try house.done(
                await house.run("/usr/bin/dpkg-deb", ["--build", "--root-owner-group", house.folder.file(top), file]))
            return file
        }

        private func install(_ house: Household, _ file: String) async throws {
            let options = [
                "--yes", "--quiet", "--reinstall", "--allow-downgrades", "-o", "DPkg::Lock::Timeout=120", file,
            ]
            try house.done(
                await house.run(
                    "/usr/bin/apt-get", ["install"] + options, variables: ["DEBIAN_FRONTEND": "noninteractive"]))
        }

        private func alarms(_ house: Household) async throws -> [JSON] {
            try house.done(await house.m2m("history", "greenhouse/integrity", "--json")).json.filter {
                ["changed", "replaced", "mended", "disabled"].contains($0["event"])
            }
        }

        @Test("apt-get install --reinstall of a watched package, in a window and outside") func reinstall() async throws
        {
            try await Household.open { house in
                do {
                    try await check(house)
                } catch {
                    _ = try await house.run("/usr/bin/dpkg", ["--purge", Self.package])
                    throw error
                }
                _ = try await house.run("/usr/bin/dpkg", ["--purge", Self.package])
            }
        }

        private func check(_ house: Household) async throws {
            let (one, two) = (try await make(house, "1"), try await make(house, "2"))
            try await install(house, one)
            let edit = GreenhouseFile.Edit("[board]\nkind", "[integrity]\npaths = [\"\(Self.place)\"]\n\n[board]\nkind")
            let (_, agent) = try await house.settle([edit])
            try house.done(await house.m2m("integrity", "greenhouse", "approve"))

            try house.done(await house.m2m("integrity", "greenhouse", "window", "10m"))
            try await install(house, one)
            try await install(house, two)
            let shown = try await house.m2m("integrity", "greenhouse", "show") { lines in
                lines.contains { $0.contains("\(Self.place)/tool: content") }
            }
            #expect(!shown.output.isEmpty)
            try house.done(await house.m2m("integrity", "greenhouse", "approve"))
            try house.done(await house.m2m("integrity", "greenhouse", "window", "0s"))
            _ = try await house.m2m("history", "greenhouse/integrity") { $0.contains { $0.contains("window-over") } }
            #expect(try await alarms(house).isEmpty)

            // The same, and nobody has opened a window.
            try await install(house, two)
            try await agent.errors.next(with: "files: replaced")
            try await install(house, one)
            try await agent.errors.next(with: "files: changed")
            let remark = "it matches its package \(Self.package) 1"
            _ = try await house.m2m("integrity", "greenhouse", "show") { $0.contains { $0.contains(remark) } }
            _ = try await house.m2m("history", "greenhouse/integrity") { lines in
                lines.contains { $0.contains("explained") && $0.contains("\(Self.place)/tool") && $0.contains(remark) }
            }
            #expect(try await alarms(house).count >= 2)
            agent.signal(SIGTERM)
            #expect(try await agent.end() == .exited(0))
        }
    }
}
