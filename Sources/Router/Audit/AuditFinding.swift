import DeviceModel
import Wire

/// Something about the audit log that is not as it should be.
struct AuditFinding: Hashable, Sendable, CustomStringConvertible {
    /// The line of the file that shows it, from 1; nil: no line does.
    let line: Int?
    /// What it is, in words.
    let description: String

    init(line: Int? = nil, _ description: String) {
        (self.line, self.description) = (line, description)
    }

    static func changed(_ line: Int) -> AuditFinding {
        let others = line == 1 ? "" : ", or those before it were replaced"
        return AuditFinding(line: line, "line \(line) was changed\(others): its hash is not what it should be")
    }

    static func unreadable(_ line: Int) -> AuditFinding {
        AuditFinding(line: line, "line \(line) is not readable: no entry is written like that")
    }

    static func misplaced(_ line: Int, is number: UInt64, expected: UInt64, isChanged: Bool) -> AuditFinding {
        let place = "line \(line) is out of sequence: it is entry \(number), where entry \(expected) should be"
        guard isChanged else { return AuditFinding(line: line, place) }
        let cause = number > expected ? "lines before it are missing" : "it is not where it was written"
        return AuditFinding(
            line: line, "\(place), and its hash is not what it should be: it was changed, or \(cause)")
    }

    static func unfinished(_ line: Int) -> AuditFinding {
        AuditFinding(
            line: line, "line \(line) has no end: its writing was interrupted, or the end of the log was cut off")
    }
}

extension AuditFinding {
    /// What `audit.head` remembers is not in the log.
    static func contradiction(of remembered: AuditHead, end: AuditHead) -> AuditFinding {
        if remembered.entry > end.entry {
            return AuditFinding("\(Self.ending(at: end)), but audit.head says \(remembered.entry): the end was cut off")
        }
        return AuditFinding("entry \(remembered.entry) is not the one that audit.head names: the log was rewritten")
    }

    /// A device remembers what is not in the log.
    static func contradiction(of anchor: AuditAnchor, end: AuditHead) -> AuditFinding {
        let (number, device) = (anchor.head.entry, anchor.device)
        if number > end.entry {
            let told = "device \(device) was told of entry \(number)\(anchor.when)"
            return AuditFinding("\(Self.ending(at: end)), but \(told): the end was cut off")
        }
        return AuditFinding(
            "entry \(number) is not the one that device \(device) was told\(anchor.when): the log was rewritten")
    }

    private static func ending(at end: AuditHead) -> String {
        end.entry == 0 ? "the log is empty" : "the log ends at entry \(end.entry)"
    }
}
