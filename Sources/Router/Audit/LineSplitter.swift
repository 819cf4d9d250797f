import Glibc

/// Finds the lines in a file that is read piece by piece, and holds no more of it than one line.
///
/// Of a line that is longer than any can be, the beginning is kept only.
struct LineSplitter {
    private let longest: Int
    /// The beginning of a line whose end has not come yet.
    private var begun: [UInt8] = []
    /// How long that line is so far.
    private(set) var begunSize = 0

    /// - Parameter longest: How many bytes of a line are kept; one more shows that it is too long.
    init(longest: Int = AuditLine.longest) {
        self.longest = longest
    }

    /// Takes the next piece.
    ///
    /// - Parameters:
    ///   - piece: What comes next in the file.
    ///   - read: Told of each line that ends in it: without its line feed, and how many bytes it takes with it.
    mutating func take(_ piece: [UInt8], _ read: (ArraySlice<UInt8>, Int) -> Void) {
        var rest = piece[...]
        while let end = Self.lineFeed(in: rest) {
            let size = begunSize + (end - rest.startIndex) + 1
            keep(rest[..<end], wholly: begun.isEmpty) { read($0, size) }
            (begun, begunSize) = ([], 0)
            rest = rest[(end + 1)...]
        }
        begun += rest.prefix(max(0, longest + 1 - begun.count))
        begunSize += rest.count
    }

    /// Hands over the end of a line with its beginning, which is copied only where there is one.
    private mutating func keep(_ end: ArraySlice<UInt8>, wholly: Bool, _ read: (ArraySlice<UInt8>) -> Void) {
        if wholly { return read(end.prefix(longest + 1)) }
        begun += end.prefix(max(0, longest + 1 - begun.count))
        read(begun[...])
    }

    private static func lineFeed(in bytes: ArraySlice<UInt8>) -> Int? {
        bytes.withUnsafeBytes { buffer in
            guard let start = buffer.baseAddress, let found = memchr(start, 0x0A, buffer.count) else { return nil }
            return bytes.startIndex + (UnsafeRawPointer(found) - start)
        }
    }
}
