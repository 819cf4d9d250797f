import DeviceModel

@testable import DeviceManager

extension OutputsWorld.Sabotage {
    /// A machine that lacks one of its rules each.
    static let all: [Self] = [
        Self(lacks: "interlocks", rules: { changed($0) { $0.interlock = [] } }, isSeenAtTheLines: true),
        Self(lacks: "interlock_delay", rules: { changed($0) { $0.pause = 0 } }, isSeenAtTheLines: true),
        Self(lacks: "min_off", rules: { changed($0) { $0.minOff = 0 } }),
        Self(lacks: "min_on", rules: { changed($0) { $0.minOn = 0 } }),
        Self(lacks: "max_on", rules: { changed($0) { $0.maxOn = nil } }, isSeenAtTheLines: true),
        Self(
            lacks: "half of max_on", rules: { changed($0) { $0.maxOn = $0.maxOn.map { $0 * 2 } } },
            isSeenAtTheLines: true),
        Self(lacks: "on_link_lost", rules: { changed($0) { $0.linkAfter = nil } }, isSeenAtTheLines: true),
        Self(lacks: "its end on a stop", rules: { changed($0) { $0.hold = $0.hold ?? 5_000 } }),
        Self(lacks: "ownership", stimulus: withOneLease, isSeenAtTheLines: true),
        Self(lacks: "leases", stimulus: withoutLease, isSeenAtTheLines: true),
        Self(lacks: "who came over the link", stimulus: fromRouter),
        Self(lacks: "the loss of the link", stimulus: { if case .link(isUp: false) = $0 { .tick } else { $0 } }),
        Self(lacks: "the end of commands", stimulus: withoutDeadline),
        Self(lacks: "drives that come too late", stimulus: withoutTooLate),
        Self(lacks: "what the keeper did", stimulus: { if case .madeSafe = $0 { .tick } else { $0 } }),
        Self(
            lacks: "the difference between a drive and a new end", drive: drivenWhereKept),
        Self(lacks: "a journal", journal: { OutputJournal(boot: $0.boot) }),
        Self(lacks: "when it was in the journal", journal: withoutTimes),
        Self(
            lacks: "the loss of the link in the journal", journal: { OutputJournal(boot: $0.boot, entries: $0.entries) }
        ),
    ]

    private static func changed(_ terms: OutputTerms, _ change: (inout OutputTerms) -> Void) -> OutputTerms {
        var terms = terms
        change(&terms)
        return terms
    }

    private static func changed(_ stimulus: OutputStimulus, _ change: (inout OutputCall) -> Void) -> OutputStimulus {
        guard case .order(var call) = stimulus else { return stimulus }
        change(&call)
        return .order(call)
    }

    private static func withOneLease(_ stimulus: OutputStimulus) -> OutputStimulus {
        if case .renew(var renewal) = stimulus {
            renewal.lease = 1
            return .renew(renewal)
        }
        return changed(stimulus) { if $0.lease != nil { $0.lease?.id = 1 } }
    }

    private static func withoutLease(_ stimulus: OutputStimulus) -> OutputStimulus {
        changed(stimulus) { $0.lease = nil }
    }

    private static func fromRouter(_ stimulus: OutputStimulus) -> OutputStimulus {
        changed(stimulus) { $0.source = .router }
    }

    private static func withoutDeadline(_ stimulus: OutputStimulus) -> OutputStimulus {
        changed(stimulus) { $0.deadline = .max / 2_000_000 }
    }

    private static func withoutTooLate(_ stimulus: OutputStimulus) -> OutputStimulus {
        if case .tooLate(let output, let number) = stimulus { .driven(output, number: number) } else { stimulus }
    }

    private static func drivenWhereKept(_ drive: OutputDrive) -> OutputDrive {
        var drive = drive
        drive.isChange = true
        return drive
    }

    private static func withoutTimes(_ journal: OutputJournal) -> OutputJournal {
        var journal = journal
        for id in journal.entries.keys {
            journal.entries[id]?.onSince = nil
            journal.entries[id]?.offSince = nil
        }
        return journal
    }
}
