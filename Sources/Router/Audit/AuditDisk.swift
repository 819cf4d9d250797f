import DeviceModel

/// What the audit log wants of a disk: a file that grows, `audit.log`, and a small one that says where it ended,
/// `audit.head`.
///
/// Passed in, so that tests can let it fail.
protocol AuditDisk: Sendable {
    /// The log's path.
    var path: String { get }

    /// Keeps all other processes away, until ``unlock()``.
    ///
    /// - Returns: Whether the file is another one than at the last time: somebody has moved it away.
    /// - Throws: ``FileError``: `EWOULDBLOCK` when another process does not let go of it.
    func lock() throws(FileError) -> Bool
    func unlock()

    /// How long the log is.
    func size() throws(FileError) -> Int
    /// A part of the log, shorter where the log ends before it.
    func read(from offset: Int, count: Int) throws(FileError) -> [UInt8]
    /// Writes behind the end of the log; where that fails, some of it may have been written.
    func append(_ bytes: [UInt8]) throws(FileError)
    /// Brings the log onto the disk.
    func sync() throws(FileError)
    /// Makes the log shorter.
    func cut(to size: Int) throws(FileError)

    /// What stands in `audit.head`; nil: it is not there.
    func readHead() throws(FileError) -> [UInt8]?
    /// Writes `audit.head` in its place, in one go: it is not waited for.
    func writeHead(_ text: [UInt8]) throws(FileError)
}

extension AuditDisk {
    /// Reads lines of the log.
    ///
    /// - Parameters:
    ///   - range: Which bytes of it.
    ///   - read: Told of each line, without its line feed, and how many bytes it takes with it.
    /// - Returns: How many bytes are left at the end that are no whole line.
    /// - Throws: ``FileError`` when it can't be read.
    func readLines(
        in range: Range<Int>, _ read: (ArraySlice<UInt8>, Int) -> Void
    ) throws(FileError) -> Int {
        var splitter = LineSplitter()
        var offset = range.lowerBound
        while offset < range.upperBound {
            let piece = try self.read(from: offset, count: min(Self.piece, range.upperBound - offset))
            guard !piece.isEmpty else { break }
            offset += piece.count
            splitter.take(piece, read)
        }
        return splitter.begunSize
    }

    /// So much is read at a time.
    private static var piece: Int { 65_536 }
}
