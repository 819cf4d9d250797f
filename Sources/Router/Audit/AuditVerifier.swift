import DeviceModel
import Wire

/// Checks a whole log: its chain, and that it has all the ends that somebody remembers.
///
/// A plain value that is shown one line after the other, and holds none of them.
struct AuditVerifier {
    /// What was found.
    struct Report: Hashable, Sendable {
        /// How many lines there are.
        var lines: Int
        /// The end of the log.
        var head: AuditHead
        /// What is wrong, the first place in the file first; nothing: the log is sound.
        var findings: [AuditFinding]

        var isSound: Bool { findings.isEmpty }
    }

    /// So many findings are named; further ones are counted.
    static let bound = 100

    private var chain = AuditChain()
    private var findings: [AuditFinding] = []
    private var further = 0
    /// What `audit.head` says, as long as its entry has not come; nil: it has come, or there is no such file.
    private var remembered: AuditHead?
    /// What devices say, by the number of the entry, as long as that has not come.
    private var anchors: [UInt64: [AuditAnchor]]
    private let isRemembered: Bool

    /// - Parameters:
    ///   - remembered: What `audit.head` says; nil: it is not there, or can't be read.
    ///   - anchors: What devices were told.
    init(remembered: AuditHead?, anchors: [AuditAnchor]) {
        self.remembered = remembered
        isRemembered = remembered != nil
        self.anchors = Dictionary(grouping: anchors.filter { $0.head != .start }, by: \.head.entry)
        if remembered == .start { self.remembered = nil }
    }

    /// Takes the next line, which is without its line feed.
    mutating func read(_ line: ArraySlice<UInt8>) {
        if let finding = chain.read(line).finding { note(finding) }
        if let remembered, remembered.entry == chain.head.entry {
            if !chain.isAt(remembered) { note(.contradiction(of: remembered, end: chain.head)) }
            self.remembered = nil
        }
        for anchor in anchors.removeValue(forKey: chain.head.entry) ?? [] where !chain.isAt(anchor.head) {
            note(.contradiction(of: anchor, end: chain.head))
        }
    }

    /// The log is at its end.
    ///
    /// - Parameter begun: How many bytes there are behind the last line, which are no whole line.
    /// - Returns: All that was found.
    mutating func finish(begun: Int) -> Report {
        if begun > 0 { note(.unfinished(chain.lines + 1)) }
        if !isRemembered {
            note(AuditFinding("audit.head is missing or damaged: whether the end was cut off cannot be told"))
        }
        if let remembered { note(.contradiction(of: remembered, end: chain.head)) }
        for anchor in anchors.values.joined().sorted(by: { ($0.head.entry, $0.device) < ($1.head.entry, $1.device) }) {
            note(.contradiction(of: anchor, end: chain.head))
        }
        if further > 0 { findings.append(AuditFinding("\(further) more findings are like these")) }
        return Report(lines: chain.lines, head: chain.head, findings: findings)
    }

    private mutating func note(_ finding: AuditFinding) {
        if findings.count < Self.bound { findings.append(finding) } else { further += 1 }
    }
}

extension AuditVerifier {
    /// Checks the log on a disk, as it is now: it may grow meanwhile.
    ///
    /// Waits for the disk for as long as it takes to read all of it.
    ///
    /// - Parameters:
    ///   - disk: Where it is; nothing is written.
    ///   - anchors: What devices were told.
    /// - Returns: All that was found.
    /// - Throws: ``FileError`` when it can't be read.
    static func verify(_ disk: any AuditDisk, anchors: [AuditAnchor]) throws(FileError) -> Report {
        let (size, text) = try now(disk)
        var verifier = AuditVerifier(remembered: text.flatMap(AuditHead.init(text:)), anchors: anchors)
        let begun = try disk.readLines(in: 0..<size) { line, _ in verifier.read(line) }
        return verifier.finish(begun: begun)
    }

    /// How long the log is, and what `audit.head` says of it, between two entries.
    private static func now(_ disk: any AuditDisk) throws(FileError) -> (Int, [UInt8]?) {
        _ = try disk.lock()
        defer { disk.unlock() }
        return (try disk.size(), try disk.readHead())
    }
}
