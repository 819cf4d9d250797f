import DeviceModel
import Testing
import Wire

@testable import Router

/// Promise: each line carries the hash of all before it, computed as the description of the format says.
@Suite struct AuditChainTests {
    /// Computed with Python's hashlib.
    private static let lines = [
        #"{"seq":1,"time":"2026-11-22T13:40:00.123Z","account":"anna","id":1,"who":"anna","from":"127.0.0.1","#
            + #""act":"login","what":"","result":"done","times":1,"until":null,"#
            + #""hash":"676799e0658f0f160e8ec2dc0a37f4dc828953c2f60ff18832da8c8eccaf2eb2"}"#,
        #"{"seq":2,"time":"2026-11-22T13:41:00.123Z","account":null,"id":null,"who":"a \"b\\c\" é","from":"10.0.0.1","#
            + #""act":"login-failed","what":"","result":"wrong password","times":3,"until":"2026-11-22T13:42:00.123Z","#
            + #""hash":"207eebcdbd1aaf84fb0d82215d410e7030c8674652abf828d286f8aea990b9f3"}"#,
    ]
    private static let entries = [
        AuditEntry(
            time: AuditSample.time, account: AuditSample.anna, who: "anna", source: "127.0.0.1", act: .login),
        AuditEntry(
            time: AuditSample.time + .seconds(60), who: #"a "b\c" é"#, source: "10.0.0.1", act: .loginFailed,
            result: "wrong password", times: 3, until: AuditSample.time + .seconds(120)),
    ]

    @Test("Entries become the lines that another program computed")
    func vectors() {
        let (lines, heads) = AuditSample.log(Self.entries)
        #expect(lines.map { String(decoding: $0, as: UTF8.self) } == Self.lines.map { "\($0)\n" })
        #expect(heads.map(\.entry) == [1, 2])
        #expect(heads[1].hash.hexadecimal == "207eebcdbd1aaf84fb0d82215d410e7030c8674652abf828d286f8aea990b9f3")
    }

    @Test("Lines that follow each other are right, and give their entries back")
    func sound() {
        var chain = AuditChain()
        for (line, entry) in zip(Self.lines, Self.entries) {
            let checked = chain.read(Array(line.utf8)[...])
            #expect(checked.finding == nil)
            #expect(checked.entry == entry)
        }
        #expect(chain.lines == 2)
        #expect(chain.head == AuditSample.log(Self.entries).heads[1])
    }

    @Test("What is written behind a damaged line is right, whether it was written before the damage or after it")
    func afterDamage() {
        var (lines, _) = AuditSample.log(AuditSample.entries(1...3))
        lines[1][30] ^= 1  // in its time
        for line in [lines[1], Array("no line\n".utf8)] {
            var chain = AuditChain()
            for line in [lines[0], line] { _ = chain.read(line.dropLast()) }
            let (next, _) = AuditChain.line(AuditSample.entry(4), after: chain.head)
            #expect(chain.read(next.dropLast()).finding == nil)
        }
        var chain = AuditChain()
        #expect(lines.map { chain.read($0.dropLast()).finding?.line } == [nil, 2, nil])
    }

    @Test("Numbers at the end of their range are no trouble")
    func highest() {
        let (lines, heads) = AuditSample.log(
            AuditSample.entries(1...3), after: AuditHead(entry: .max - 1, hash: AuditHead.start.hash))
        #expect(heads.map(\.entry) == [.max, 0, 1])
        var chain = AuditChain()
        #expect(lines.map { chain.read($0.dropLast()).finding?.line } == [1, nil, nil])
    }

    @Test("Lines that are too long, or none, are no entries, and are looked at all the same")
    func strange() {
        var chain = AuditChain()
        for (index, line) in ["", "{}", "\u{0}\u{0}\u{0}", String(repeating: "x", count: 5_000)].enumerated() {
            #expect(chain.read(Array(line.utf8)[...]).finding == .unreadable(index + 1))
        }
        #expect(chain.head.entry == 4)
    }
}
