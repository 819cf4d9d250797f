import DeviceModel
import Wire

@testable import Router

/// Entries and logs for tests.
enum AuditSample {
    static let anna = AuditEntry.Account(id: 1, name: "anna")
    static let bert = AuditEntry.Account(id: 2, name: "bert")
    /// 2026-11-22T13:40:00.123Z.
    static let time = WallTime(nanoseconds: 1_795_354_800_123_000_000)

    /// An entry of a second of its own.
    static func entry(
        _ second: Int, of account: AuditEntry.Account? = anna, _ act: AuditAct = .command, object: String = "light on"
    ) -> AuditEntry {
        AuditEntry(
            time: time + .seconds(second), account: account, who: account?.name ?? "somebody", source: "127.0.0.1",
            act: act, object: object)
    }

    static func entries(_ seconds: some Sequence<Int>) -> [AuditEntry] {
        seconds.map { entry($0) }
    }

    static func failure(
        who: String = "anna", from source: String = "10.0.0.1", _ second: Int = 0, result: String = "wrong password"
    ) -> AuditEntry {
        AuditEntry(time: time + .seconds(second), who: who, source: source, act: .loginFailed, result: result)
    }

    /// The lines of a log, each with its line feed, and the ends of the log behind each of them.
    static func log(
        _ entries: [AuditEntry], after start: AuditHead = .start
    ) -> (lines: [[UInt8]], heads: [AuditHead]) {
        var (lines, heads, head): ([[UInt8]], [AuditHead], AuditHead) = ([], [], start)
        for entry in entries {
            let (line, next) = AuditChain.line(entry, after: head)
            lines.append(line)
            heads.append(next)
            head = next
        }
        return (lines, heads)
    }

    /// The bytes of lines.
    static func bytes(_ lines: some Sequence<[UInt8]>) -> [UInt8] {
        lines.reduce(into: []) { $0 += $1 }
    }

    /// What is found in a log.
    static func verify(
        _ bytes: [UInt8], head: AuditHead?, anchors: [AuditAnchor] = []
    ) -> AuditVerifier.Report {
        var verifier = AuditVerifier(remembered: head, anchors: anchors)
        var splitter = LineSplitter()
        splitter.take(bytes) { line, _ in verifier.read(line) }
        return verifier.finish(begun: splitter.begunSize)
    }
}
