import DeviceModel
import Wire

/// The chain that makes one log of many entries: each carries the hash of all before it.
///
/// The hash of an entry is SHA-256 over the hash of the one before (32 bytes, all 0 before the first) and the bytes of
/// its own line up to its hash. So nothing can be changed, put in or taken out without another end, which is what
/// `audit.head` and the devices remember.
///
/// A plain value: it is shown one line after the other, and says which is wrong.
struct AuditChain {
    /// What a line was found to be.
    struct Checked {
        /// The entry in it; nil: it can't be read.
        var entry: AuditEntry?
        /// What is wrong with it; nil: nothing.
        var finding: AuditFinding?
    }

    /// The end: what the next line has to follow.
    private(set) var head = AuditHead.start
    /// How many lines there were.
    private(set) var lines = 0
    /// What the end would be, if nobody had changed the last line; nil: it is as it should be.
    ///
    /// The next line was written after this one, or, where the log went on after the damage, after ``head``.
    private var intended: AuditHead?

    /// Writes an entry as the line behind an end.
    ///
    /// - Returns: The line, with its line feed, and the new end.
    static func line(_ entry: AuditEntry, after head: AuditHead) -> (line: [UInt8], head: AuditHead) {
        let number = head.entry &+ 1
        let body = AuditLine.body(entry, number: number)
        let hash = Self.hash(head.hash, body[...])
        return (AuditLine.whole(body, hash: hash), AuditHead(entry: number, hash: hash))
    }

    /// Looks at the next line, which is without its line feed.
    mutating func read(_ line: ArraySlice<UInt8>) -> Checked {
        lines += 1
        let expected = head.entry &+ 1
        guard let (body, hash) = AuditLine.parts(line) else {
            let intended = AuditHead(
                entry: expected, hash: Self.hash(head.hash, line.dropLast(AuditLine.hashPartSize)))
            goOn(AuditHead(entry: expected, hash: Self.hash(head.hash, line)), intended)
            return Checked(finding: .unreadable(lines))
        }
        let computed = Self.hash(head.hash, body)
        let content = AuditLine.entry(body)
        let followsIntended = intended.map { Self.hash($0.hash, body) == hash } ?? false
        let isInPlace = content.map { $0.number == expected || $0.number == intended.map { $0.entry &+ 1 } } ?? true
        let finding: AuditFinding? =
            switch (computed == hash || followsIntended, isInPlace) {
            case (true, true): content == nil ? .unreadable(lines) : nil
            case (true, false): .misplaced(lines, is: content?.number ?? expected, expected: expected, isChanged: false)
            case (false, true): .changed(lines)
            case (false, false): .misplaced(lines, is: content?.number ?? expected, expected: expected, isChanged: true)
            }
        goOn(
            AuditHead(entry: content?.number ?? expected, hash: hash),
            finding == nil ? nil : AuditHead(entry: expected, hash: computed))
        return Checked(entry: content?.entry, finding: finding)
    }

    private mutating func goOn(_ head: AuditHead, _ intended: AuditHead?) {
        (self.head, self.intended) = (head, intended)
    }

    /// Lines were written that need no looking at.
    mutating func wrote(_ count: Int, to head: AuditHead) {
        lines += count
        goOn(head, nil)
    }

    /// Whether the last line is the one that somebody remembers, also where it was changed since.
    func isAt(_ remembered: AuditHead) -> Bool {
        remembered == head || remembered == intended
    }

    private static func hash(_ before: [UInt8], _ bytes: ArraySlice<UInt8>) -> [UInt8] {
        Digest.sha256(before + bytes)
    }
}
