import DeviceModel
import Wire

/// Where in the file which entries are: the newest one by one, all others in blocks.
///
/// A log of 100 MB has some 3000 blocks, which take 200 KB of memory.
struct AuditIndex {
    /// Lines that follow each other in the file.
    struct Block {
        /// Where in the file they are.
        let offset: Int
        private(set) var size = 0
        fileprivate var lines = 0
        /// The lowest and the highest number among them.
        private var numbers: ClosedRange<UInt64>
        /// When the latest of them happened.
        private var latest = WallTime(nanoseconds: .min)
        /// A bit for each account of which there is an entry, and for some others of which there is none.
        private var accounts: UInt64 = 0

        fileprivate init(offset: Int, first: UInt64) {
            (self.offset, numbers) = (offset, first...first)
        }

        fileprivate mutating func add(_ number: UInt64, size: Int, _ entry: AuditEntry?) {
            self.size += size
            lines += 1
            numbers = min(numbers.lowerBound, number)...max(numbers.upperBound, number)
            guard let entry else { return }
            latest = max(latest, entry.time, entry.until ?? entry.time)
            if let account = entry.account { accounts |= Self.bit(of: account.id) }
        }

        private static func bit(of account: Int64) -> UInt64 { 1 << (UInt64(bitPattern: account) % 64) }

        func mayHold(number: UInt64) -> Bool { numbers.contains(number) }

        func mayHold(of account: Int64?, since: WallTime?) -> Bool {
            since.map { latest >= $0 } ?? true && account.map { accounts & Self.bit(of: $0) != 0 } ?? true
        }
    }

    private static let blockLines = 128
    /// So many of the newest entries are known one by one, at least: that is where devices left off that come back.
    private static let recentBound = 4_096

    /// All lines, in the order of the file.
    private(set) var blocks: [Block] = []
    private var recentNumbers: [UInt64] = []
    /// The hashes of those, one after the other.
    private var recentHashes: [UInt8] = []

    /// A line was found or written behind all others.
    ///
    /// - Parameters:
    ///   - head: Its number and its hash.
    ///   - size: How many bytes it takes in the file.
    ///   - entry: The entry in it; nil: it can't be read.
    mutating func add(_ head: AuditHead, size: Int, _ entry: AuditEntry?) {
        if blocks.last.map({ $0.lines == Self.blockLines }) ?? true {
            blocks.append(Block(offset: blocks.last.map { $0.offset + $0.size } ?? 0, first: head.entry))
        }
        blocks[blocks.count - 1].add(head.entry, size: size, entry)
        recentNumbers.append(head.entry)
        recentHashes += head.hash
        guard recentNumbers.count == 2 * Self.recentBound else { return }
        recentNumbers.removeFirst(Self.recentBound)
        recentHashes.removeFirst(Self.recentBound * AuditHead.hashSize)
    }

    /// The hash of one of the newest entries; nil: the file has to be asked.
    func recentHash(of number: UInt64) -> ArraySlice<UInt8>? {
        recentNumbers.lastIndex(of: number).map { index in
            recentHashes[(index * AuditHead.hashSize)...].prefix(AuditHead.hashSize)
        }
    }
}
