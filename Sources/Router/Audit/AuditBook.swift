import DeviceModel
import Wire

/// The audit log on its disk: what was read of it, and how it grows.
///
/// Every call waits for the disk; ``AuditLog`` lets them wait on a thread of their own. Other processes may append to the
/// same file: whoever writes locks it, and reads first what came from others.
struct AuditBook {
    private let disk: any AuditDisk
    private let report: @Sendable (String) -> Void
    private var chain = AuditChain()
    private(set) var index = AuditIndex()
    /// How much of the file has been read or written: up to the end of its last line.
    private var end = 0
    /// What was reported last about `audit.head`: it is not said again with every entry, for it becomes one itself.
    private var told: (ofReading: String?, ofWriting: String?)

    /// Reads the whole log.
    ///
    /// - Parameters:
    ///   - disk: Where it is.
    ///   - report: Told in words, now and later, of what is not as it should be. None of it keeps the log from growing.
    /// - Throws: ``FileError`` when it can't be read.
    init(_ disk: any AuditDisk, report: @escaping @Sendable (String) -> Void) throws(FileError) {
        (self.disk, self.report) = (disk, report)
        _ = try readOn()  // most of it before others are kept away: a long log takes its time
        try lock()
        defer { disk.unlock() }
        try catchUp()
        if try endToFollow() == chain.head { writeHead() }
    }

    /// The end of the log, as far as it was read.
    var head: AuditHead { chain.head }

    // MARK: Writing

    /// Writes entries, and waits until they are on the disk.
    ///
    /// Where that fails the log is as it was before.
    mutating func append(_ entries: [AuditEntry]) throws(FileError) -> AuditHead {
        try lock()
        defer { disk.unlock() }
        try catchUp()
        var (head, text) = (try endToFollow(), [UInt8]())
        var added: [(head: AuditHead, size: Int)] = []
        for entry in entries {
            let (line, next) = AuditChain.line(entry, after: head)
            text += line
            head = next
            added.append((head, line.count))
        }
        do throws(FileError) {
            try disk.append(text)
            try disk.sync()
        } catch {
            // Also what was written wholly: it may not have reached the disk, and nobody was told that it has.
            try? disk.cut(to: end)  // safe: what can't be cut off is read, or cut off, before the next entry
            throw error
        }
        for (entry, (head, size)) in zip(entries, added) { index.add(head, size: size, entry) }
        chain.wrote(entries.count, to: head)
        end += text.count
        writeHead()
        return head
    }

    /// What the next entry has to follow: the last line's own hash, so that what is new can be checked also behind a
    /// damage.
    ///
    /// Where `audit.head` remembers an end that the log does not have, the next entry follows that: so that it can be
    /// seen for good that the log was cut or rewritten, and not until the next entry only.
    private mutating func endToFollow() throws(FileError) -> AuditHead {
        let remembered: AuditHead?
        do throws(FileError) {
            remembered = try disk.readHead().flatMap(AuditHead.init(text:))
        } catch {
            tell("\(error); whether the end of \(disk.path) was cut off cannot be told", \.ofReading)
            return chain.head
        }
        guard let remembered else {
            if chain.lines > 0 {
                tell(
                    "audit.head beside \(disk.path) is missing or damaged: whether the end of the log was cut off "
                        + "cannot be told", \.ofReading)
            }
            return chain.head
        }
        if try knows(remembered) {
            told.ofReading = nil
            return chain.head
        }
        tell("\(disk.path): \(AuditFinding.contradiction(of: remembered, end: chain.head))", \.ofReading)
        return AuditHead(entry: max(chain.head.entry, remembered.entry), hash: remembered.hash)
    }

    private mutating func writeHead() {
        do throws(FileError) {
            try disk.writeHead(chain.head.text)
            told.ofWriting = nil
        } catch {
            tell("\(error); until it can be, a cut end of \(disk.path) would not be noticed", \.ofWriting)
        }
    }

    private mutating func tell(
        _ words: String, _ of: WritableKeyPath<(ofReading: String?, ofWriting: String?), String?>
    ) {
        if words != told[keyPath: of] { report(words) }
        told[keyPath: of] = words
    }

    // MARK: Reading

    private mutating func lock() throws(FileError) {
        guard try disk.lock() else { return }
        report("\(disk.path) was moved away or replaced while it was in use")
        startAgain()
    }

    private mutating func startAgain() {
        (chain, index, end) = (AuditChain(), AuditIndex(), 0)
    }

    /// Reads what other processes have written since.
    mutating func refresh() throws(FileError) {
        try lock()
        defer { disk.unlock() }
        try catchUp()
    }

    /// Reads what has come since, and removes what was not wholly written: nobody else writes at the moment.
    private mutating func catchUp() throws(FileError) {
        let torn = try readOn()
        guard torn > 0 else { return }
        report("\(disk.path): the last entry was not wholly written, as at a power cut, and is removed: \(torn) bytes")
        try disk.cut(to: end)
    }

    /// So many damaged lines are reported one by one.
    private static let reportBound = 10

    /// Reads what has come since.
    ///
    /// - Returns: How many bytes are left at the end that are no whole line.
    private mutating func readOn() throws(FileError) -> Int {
        let size = try disk.size()
        if size < end {
            report("\(disk.path) has been cut off while it was in use: it has \(size) bytes, and had \(end)")
            startAgain()
        }
        guard size > end else { return 0 }
        var (chain, index, end, damaged) = (chain, index, end, 0)
        let torn = try disk.readLines(in: end..<size) { line, size in
            let checked = chain.read(line)
            index.add(chain.head, size: size, checked.entry)
            end += size
            guard let finding = checked.finding else { return }
            damaged += 1
            if damaged <= Self.reportBound { report("\(disk.path): \(finding)") }
        }
        if damaged > Self.reportBound {
            report("\(disk.path): \(damaged - Self.reportBound) more lines are not as they should be")
        }
        (self.chain, self.index, self.end) = (chain, index, end)
        return torn
    }

    /// Whether the log has an entry of this number with this hash.
    func knows(_ remembered: AuditHead) throws(FileError) -> Bool {
        if remembered == .start || chain.isAt(remembered) { return true }
        if let hash = index.recentHash(of: remembered.entry) { return hash.elementsEqual(remembered.hash) }
        for block in index.blocks where block.mayHold(number: remembered.entry) {
            var isThere = false
            _ = try disk.readLines(in: block.range) { line, _ in
                isThere = isThere || AuditLine.head(line) == remembered
            }
            if isThere { return true }
        }
        return false
    }

    /// The entries of a block, in order, as far as they can be read.
    func entries(in block: AuditIndex.Block) throws(FileError) -> [(sequence: UInt64, entry: AuditEntry)] {
        var entries: [(sequence: UInt64, entry: AuditEntry)] = []
        _ = try disk.readLines(in: block.range) { line, _ in
            guard let (body, _) = AuditLine.parts(line), let (number, entry) = AuditLine.entry(body) else { return }
            entries.append((number, entry))
        }
        return entries
    }
}

extension AuditIndex.Block {
    fileprivate var range: Range<Int> { offset..<offset + size }
}
