import DeviceModel
import Testing

@testable import FileIntegrity

/// What the disk does not take is tried again.
@Suite struct PendingWritesTests {
    private final class Disk {
        var isFull = true
        var text = ""

        func write(_ text: String) throws(FileError) {
            guard !isFull else { throw FileError("integrity.state", 28) }
            self.text = text
        }
    }

    private func second(_ number: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: number * 1_000_000_000) }

    @Test("It is said what can't be written down, and the newest of it is written as soon as that can be")
    func retry() {
        let disk = Disk()
        var writes = PendingWrites()
        writes.keep("what was decided", at: second(0)) { () throws(FileError) in try disk.write("one") }
        #expect(writes.problems.first?.hasPrefix("what was decided can't be written down: integrity.state") == true)
        #expect(writes.deadline == second(30))
        writes.keep("what was decided", at: second(10)) { () throws(FileError) in try disk.write("two") }
        #expect(writes.problems.count == 1)
        disk.isFull = false
        writes.retry(at: second(29))
        #expect(disk.text.isEmpty)
        writes.retry(at: second(30))
        #expect(disk.text == "two")
        #expect(writes.problems.isEmpty)
        #expect(writes.deadline == nil)
        // What was written once is not written again.
        disk.text = ""
        writes.retry(at: second(90))
        #expect(disk.text.isEmpty)
    }
}
