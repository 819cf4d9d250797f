import DeviceModel
import Testing
import Wire

@testable import Router

/// Promise: one flipped bit, a cut tail and a rewritten log are each found, and the first located.
@Suite struct AuditVerifierTests {
    private let lines: [[UInt8]]
    private let heads: [AuditHead]
    private var bytes: [UInt8] { AuditSample.bytes(lines) }

    init() {
        (lines, heads) = AuditSample.log((1...4).map { AuditSample.entry($0, object: "J*light é on") })
    }

    private func words(_ report: AuditVerifier.Report) -> [String] { report.findings.map(\.description) }

    @Test("A log as it was written is sound")
    func sound() {
        let report = AuditSample.verify(bytes, head: heads[3], anchors: [anchor(2), anchor(4)])
        #expect(report == AuditVerifier.Report(lines: 4, head: heads[3], findings: []))
        #expect(report.isSound)
        #expect(AuditSample.verify([], head: .start).isSound)
    }

    @Test("A log that is ahead of audit.head is sound: the power may go between the two")
    func ahead() {
        for head in [.start] + heads { #expect(AuditSample.verify(bytes, head: head).isSound) }
    }

    // MARK: Bits

    @Test("Every flipped bit is found, in the line where it is")
    func bits() {
        var line = 1
        for index in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << bit
                let report = AuditSample.verify(damaged, head: heads[3])
                #expect(report.findings.first?.line == line, "byte \(index), bit \(bit): \(words(report))")
            }
            if bytes[index] == 0x0A { line += 1 }
        }
        #expect(line == 5)
    }

    @Test("A changed line is one finding, and audit.head and devices, which know it as it was, say nothing else")
    func oneFinding() {
        for index in lines.indices {
            for place in [10, 40, lines[index].count - 40] {
                var damaged = lines
                damaged[index][place] = damaged[index][place] == 0x31 ? 0x32 : 0x31
                let report = AuditSample.verify(
                    AuditSample.bytes(damaged), head: heads[3], anchors: [anchor(index + 1)])
                #expect(report.findings.count == 1, "line \(index + 1), byte \(place): \(words(report))")
            }
        }
        var damaged = lines
        damaged[2][damaged[2].count - 40] ^= 1
        #expect(
            words(AuditSample.verify(AuditSample.bytes(damaged), head: heads[3])) == [
                "line 3 was changed, or those before it were replaced: its hash is not what it should be"
            ])
    }

    @Test("A line that was replaced, with its own hash computed anew, is found at the line behind it")
    func replaced() {
        for index in 0..<3 {
            var other = lines
            let before = index == 0 ? AuditHead.start : heads[index - 1]
            other[index] = AuditChain.line(AuditSample.entry(50), after: before).line
            let report = AuditSample.verify(AuditSample.bytes(other), head: heads[3])
            #expect(report.findings == [.changed(index + 2)])
        }
    }

    @Test("A line that was taken out, put in twice or moved is found where the next one is out of sequence")
    func order() {
        let without = AuditSample.verify(AuditSample.bytes((lines[..<1] + lines[2...])), head: heads[3])
        #expect(
            words(without) == [
                "line 2 is out of sequence: it is entry 3, where entry 2 should be, and its hash is not what it should "
                    + "be: it was changed, or lines before it are missing"
            ])
        let twice = AuditSample.verify(AuditSample.bytes((lines[..<2] + lines[1...])), head: heads[3])
        #expect(twice.findings.first?.line == 3)
        let moved = AuditSample.verify(AuditSample.bytes([lines[0], lines[2], lines[1], lines[3]]), head: heads[3])
        #expect(moved.findings.first?.line == 2)
    }

    @Test("Lines of which somebody computed the hash, but which are no entries or have other numbers, are found")
    func forged() {
        let body = Array("{}".utf8)
        let line = AuditLine.whole(body, hash: Digest.sha256(heads[3].hash + body))
        #expect(
            words(AuditSample.verify(bytes + line, head: heads[3])).first?.contains("line 5 is not readable") == true)
        let (jump, _) = AuditChain.line(AuditSample.entry(5), after: AuditHead(entry: 9, hash: heads[3].hash))
        #expect(
            words(AuditSample.verify(bytes + jump, head: heads[3])) == [
                "line 5 is out of sequence: it is entry 10, where entry 5 should be"
            ])
    }

    @Test("However many lines are wrong, a hundred are named, and the others counted")
    func bounded() {
        let report = AuditSample.verify(Array(String(repeating: "x\n", count: 350).utf8), head: .start)
        #expect(report.findings.count == 101)
        #expect(report.findings.last?.description == "250 more findings are like these")
    }

    // MARK: Cut and rewritten

    @Test("A tail that was cut off behind any line is found by audit.head")
    func cut() {
        for kept in 0..<lines.count {
            let report = AuditSample.verify(AuditSample.bytes(lines.prefix(kept)), head: heads[3])
            let end = kept == 0 ? "the log is empty" : "the log ends at entry \(kept)"
            #expect(words(report) == ["\(end), but audit.head says 4: the end was cut off"])
        }
    }

    @Test(
        "A tail that was cut off behind any line is found by a device that knows of it, though audit.head was rewritten"
    )
    func cutWithHead() {
        for kept in 0..<lines.count {
            let head = kept == 0 ? .start : heads[kept - 1]
            let report = AuditSample.verify(AuditSample.bytes(lines.prefix(kept)), head: head, anchors: [anchor(4)])
            #expect(report.findings.count == 1)
            #expect(
                words(report).first?.hasSuffix(
                    "but device greenhouse was told of entry 4 on 2026-11-22T13:40:00.123Z: the end was cut off")
                    == true)
        }
    }

    @Test("A tail that was cut off in the midst of a line is found")
    func cutWithinLine() {
        var size = 0
        for (index, line) in lines.enumerated() {
            for part in 1..<line.count {
                let report = AuditSample.verify(Array(bytes.prefix(size + part)), head: heads[3])
                #expect(report.findings.first == .unfinished(index + 1))
                #expect(report.findings.count == 2)
            }
            size += line.count
        }
    }

    @Test("A tail that was rewritten, with all its hashes computed anew, is found by audit.head and by devices")
    func rewritten() {
        for kept in 0..<lines.count {
            let start = kept == 0 ? .start : heads[kept - 1]
            let tail = AuditSample.log(AuditSample.entries(50..<54 - kept), after: start)
            let log = AuditSample.bytes((lines.prefix(kept) + tail.lines))
            #expect(
                words(AuditSample.verify(log, head: heads[3])) == [
                    "entry 4 is not the one that audit.head names: the log was rewritten"
                ])
            let report = AuditSample.verify(
                log, head: tail.heads.last, anchors: [anchor(4), anchor(kept + 1), anchor(1)])
            #expect(
                words(report).last == "entry 4 is not the one that device greenhouse was told on "
                    + "2026-11-22T13:40:00.123Z: the log was rewritten")
            // What is before the tail is as those know it who know of it.
            #expect(report.findings.count == (kept == 0 ? 3 : 2))
        }
    }

    @Test("Without audit.head it is said that a cut end would not be noticed")
    func noHead() {
        #expect(
            words(AuditSample.verify(bytes, head: nil)) == [
                "audit.head is missing or damaged: whether the end was cut off cannot be told"
            ])
    }

    private func anchor(_ entry: Int) -> AuditAnchor {
        AuditAnchor(device: "greenhouse", head: heads[entry - 1], told: AuditSample.time)
    }
}
