import DeviceModel
import Testing

/// What a release says of itself: a text that people can read, and that means one thing only.
@Suite struct ReleaseManifestTests {
    /// As Scripts/release-manifest writes it.
    private static let text = """
        m2m-manifest 1
        release m2m-agent 0.2.0
        + link 0777 0 0 0 x\\x20y /usr/bin/l
        + file 0644 0 0 1 2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6 /usr/bin/na\\\\me é
        - file 0644 0 0 2 87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7 /usr/bin/x
        + file 0755 0 0 2 0263829989b6fd954f72baaf2fc64bc2e2f01d692d4de72986ea808f6e99813f /usr/bin/x
        - folder 0755 0 0 0 - /usr/lib/old
        signature \(String(repeating: "ab", count: 64))

        """

    @Test("What was read is written as it was") func read() throws {
        let manifest = try ReleaseManifest(Self.text)
        #expect(manifest.text == Self.text)
        #expect(manifest.release == "m2m-agent 0.2.0")
        #expect(manifest.signature == [UInt8](repeating: 0xAB, count: 64))
        #expect(
            manifest.changes.map(\.path.description) == [
                "/usr/bin/l", "/usr/bin/na\\\\me é", "/usr/bin/x", "/usr/lib/old",
            ])
        #expect(manifest.changes.map(\.kinds) == [[.added], [.added], [.content, .mode], [.removed]])
        #expect(manifest.changes[0].now?.content == .target(Array("x y".utf8)))
        let signed = String(decoding: manifest.signed, as: UTF8.self)
        #expect(Self.text.hasPrefix(signed + "signature "))
    }

    @Test(
        "What is wrong is named with its line",
        arguments: [
            ("m2m-manifest 1", "m2m-manifest 2", 1), ("release m2m", "released m2m", 2), ("+ link", "+ lnk", 3),
            ("0777", "0999", 3), ("x\\x20y", "x\\x2", 3), (" 2e7d", " 2e", 4), ("- file", "+ file", 6),
            ("signature ab", "signature a", 8), ("- folder 0755 0 0 0 -", "- folder 0755 0 0 0 ab", 7),
            ("m2m-manifest 1\n", "m2m-manifest 1\r\n", 1),
            ("/usr/lib/old", "/usr/lib/aaa\nsignature 00", 8), ("+ file 0644 0 0 1", "+ pipe 0644 0 0 1", 4),
        ] as [(String, String, Int)])
    func wrong(part: String, by other: String, line: Int) throws {
        let text = Self.text.replacing(part, with: other, maxReplacements: 1)
        let error = #expect(throws: ManifestError.self) { try ReleaseManifest(text) }
        #expect(error?.line == line)
        #expect(error?.description.hasPrefix("line \(line) of the manifest: ") == true)
    }

    @Test("One content is one text: another order, or another way to write it, is none") func onlyOne() throws {
        for (part, other) in [
            ("0777 0", "777 0"), ("2e7d", "2E7D"), (" é", " \\xc3\\xa9"), ("/usr/lib/old", "/usr/aaa"),
        ] {
            let text = Self.text.replacing(part, with: other, maxReplacements: 1)
            let error = #expect(throws: ManifestError.self) { try ReleaseManifest(text) }
            #expect(error?.description.contains("not written as they are to be") == true, "\(part)")
        }
        #expect(throws: ManifestError.self) { try ReleaseManifest(Self.text + "more\n") }
        let huge = String(repeating: "x", count: ReleaseManifest.limit + 1)
        #expect(throws: ManifestError.self) { try ReleaseManifest(huge) }
    }

    @Test("Cut anywhere it is none") func cut() {
        for count in 0..<Self.text.count - 1 {
            #expect(throws: ManifestError.self) { try ReleaseManifest(String(Self.text.prefix(count))) }
        }
    }

    // MARK: What it means for a device

    private func file(_ path: String, _ number: UInt8, mode: UInt16 = 0o644) -> FileEntry {
        FileEntry(
            path: FilePath(path), kind: .regular, mode: mode, owner: 0, group: 0, size: 1,
            content: .digest(SHA256Hash { $0.pointee = number }))
    }

    private func folder(_ path: String) -> FileEntry {
        FileEntry(path: FilePath(path), kind: .folder, mode: 0o755, owner: 0, group: 0)
    }

    private func manifest(_ changes: (FileEntry?, FileEntry?)...) -> ReleaseManifest {
        ReleaseManifest(release: "r 1", changes: changes.compactMap { FileChange.between($0, $1) })
    }

    @Test("Only watched files count; new ones do in a watched folder; what is so already is done") func changes() throws
    {
        let approved = [folder("/a"), file("/a/x", 1), file("/a/z", 9), file("/b", 1)]
        let release = manifest(
            (file("/a/x", 1), file("/a/x", 2)), (nil, file("/a/y", 3)), (file("/a/z", 8), file("/a/z", 9)),
            (file("/b", 1), nil), (file("/elsewhere", 1), file("/elsewhere", 2)), (nil, file("/b/new", 1)))
        let changes = try release.changes(to: approved)
        #expect(changes.map(\.path.description) == ["/a/x", "/a/y", "/b"])
        #expect(
            FileChange.apply(changes, to: approved) == [
                folder("/a"), file("/a/x", 2), file("/a/y", 3), file("/a/z", 9),
            ])
    }

    @Test("A release for other files than were approved is none for this device") func others() {
        let approved = [folder("/a"), file("/a/x", 1)]
        for release in [
            manifest((file("/a/x", 7), file("/a/x", 2))), manifest((file("/a/x", 1, mode: 0o600), file("/a/x", 2))),
            manifest((nil, file("/a/x", 2))), manifest((file("/a/y", 1), file("/a/y", 2))),
        ] {
            let error = #expect(throws: ManifestError.self) { try release.changes(to: approved) }
            #expect(error?.description.contains("for other files than were approved here: /a/") == true)
        }
    }
}
