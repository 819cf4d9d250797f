import DeviceModel
import Glibc
import TestSupport
import Testing

@testable import DeviceManager

/// Promise: a device is disabled by whatever bears the name of the mark, and by nothing else.
@Suite struct DisabledMarkTests {
    private let folder: TemporaryDirectory
    private var path: String { folder.file("disabled") }
    private var mark: DisabledMark { DisabledMark(path: path) }

    init() throws {
        folder = try TemporaryDirectory()
    }

    @Test("Without a mark it is not; with one its first line is the reason")
    func reason() throws {
        #expect(mark.reason == nil)
        try folder.write("disabled", "somebody was here\nin the night\n")
        #expect(mark.reason == "somebody was here")
        try folder.write("disabled", "")
        #expect(mark.reason == "\(path) does not say why")
    }

    @Test("A folder, and a link that leads nowhere, disable it, too")
    func odd() {
        #expect(symlink("/nowhere/at/all", path) == 0)
        #expect(mark.reason == "\(path) leads nowhere")
        unlink(path)
        #expect(mkdir(path, 0o700) == 0)
        #expect(mark.reason?.contains(path) == true)
    }
}
