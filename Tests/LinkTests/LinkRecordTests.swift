import DeviceModel
import Glibc
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Link

/// Promise: the count of connections rises over every restart, and what the router's log was is remembered.
@Suite(.timeLimit(.minutes(1))) struct LinkRecordTests {
    private let folder: TemporaryDirectory
    private let time = ManualTime()
    private let head = AuditHead(entry: 7, hash: [UInt8](repeating: 0xAB, count: AuditHead.hashSize))

    init() throws {
        folder = try TemporaryDirectory()
    }

    private var path: String { folder.file("link-record") }

    @Test("Its text reads back, and nothing else is one")
    func text() throws {
        var record = LinkRecord()
        record.connects = .max
        #expect(LinkRecord(record.text) == record)
        record.auditHead = head
        #expect(LinkRecord(record.text) == record)
        for length in 0..<(record.text.count - 1) { #expect(LinkRecord(String(record.text.prefix(length))) == nil) }
        for text in ["", "connects x\nend\n", "audit 1 00\nend\n", "more 1\nend\n"] {
            #expect(LinkRecord(text) == nil)
        }
    }

    @Test("Each connection counts, also after a restart")
    func counts() async throws {
        for run in 0..<3 {
            let file = LinkRecordFile(path)
            for number in 1...3 {
                let (record, problem) = await file.count(on: time)
                #expect(record.connects == UInt64(run * 3 + number))
                #expect(problem == nil)
            }
        }
    }

    @Test("What the router said of its log is remembered, until an enrolment takes the file away; the count goes on")
    func remembers() async throws {
        let file = LinkRecordFile(path)
        _ = await file.count(on: time)
        file.remember(head)
        #expect(await file.count(on: time).record.auditHead == head)
        #expect(await LinkRecordFile(path).count(on: time).record.auditHead == head)
        unlink(path)
        let (record, _) = await file.count(on: time)
        #expect(record.auditHead == nil)
        #expect(record.connects == 3)
    }

    @Test("Where the file can't be replaced it is written over, as on a disk without room for two")
    func writtenOver() async throws {
        _ = await LinkRecordFile(path).count(on: time)
        #expect(mkdir("\(path).new", 0o700) == 0)  // what stands beside it can't be made
        let file = LinkRecordFile(path)
        #expect(await file.count(on: time).problem == nil)
        #expect(await LinkRecordFile(path).count(on: time).record.connects == 3)
    }

    @Test("Where nothing can be written it counts all the same, and says so")
    func unwritable() async throws {
        let file = LinkRecordFile("/proc/nowhere/link-record")
        #expect(await file.count(on: time).problem != nil)
        let (record, problem) = await file.count(on: time)
        #expect(record.connects == 2)
        #expect(problem != nil)
    }
}
