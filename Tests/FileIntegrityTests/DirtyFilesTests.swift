import DeviceModel
import Testing

@testable import FileIntegrity

/// When a file is looked at of which the kernel has told something.
@Suite struct DirtyFilesTests {
    private func moment(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: 0) + .milliseconds(milliseconds)
    }

    private let file = FilePath("/a")

    /// The files, so that what changes them can be expected.
    private final class Dirt {
        private var files = DirtyFiles()

        var deadline: MonotonicTime? { files.deadline }

        func note(_ news: FileNews, at now: MonotonicTime) -> Bool { files.note(news, at: now) }

        func due(at now: MonotonicTime) -> [DirtyFiles.Dirty] { files.due(at: now) }

        func checked(_ path: FilePath, cost: Duration, isOver: Bool, at now: MonotonicTime) {
            files.checked(path, cost: cost, isOver: isOver, at: now)
        }
    }

    @Test("What is closed is looked at at once, what is being written to a moment later, closed or not")
    func due() {
        let dirt = Dirt()
        #expect(dirt.note(.written(file), at: moment(0)))
        #expect(dirt.due(at: moment(99)).isEmpty)
        #expect(dirt.deadline == moment(100))
        #expect(dirt.note(.changed(file), at: moment(50)))
        #expect(dirt.due(at: moment(50)) == [DirtyFiles.Dirty(path: file, isTree: false)])
        #expect(dirt.deadline == nil)
        #expect(dirt.note(.changed(file), at: moment(60)) && dirt.note(.folderChanged(file), at: moment(61)))
        #expect(dirt.due(at: moment(61)) == [DirtyFiles.Dirty(path: file, isTree: true)])
    }

    @Test("What could not be looked at is tried again, and what takes long has to rest")
    func again() {
        let dirt = Dirt()
        dirt.checked(file, cost: .milliseconds(1), isOver: false, at: moment(0))
        #expect(dirt.deadline == moment(1_000))
        #expect(dirt.due(at: moment(1_000)).count == 1)
        dirt.checked(file, cost: .milliseconds(10), isOver: true, at: moment(1_000))
        #expect(dirt.note(.changed(file), at: moment(1_001)))
        #expect(dirt.deadline == moment(1_500))
    }

    @Test("Of more than there is room for, all files are looked at instead, and none waits")
    func bound() {
        let dirt = Dirt()
        for number in 0..<DirtyFiles.bound { #expect(dirt.note(.changed(FilePath("/\(number)")), at: moment(0))) }
        #expect(!dirt.note(.changed(file), at: moment(0)))
        #expect(dirt.deadline == nil)
        #expect(dirt.due(at: moment(0)).isEmpty)
        #expect(!dirt.note(.overflow, at: moment(0)))
    }
}
