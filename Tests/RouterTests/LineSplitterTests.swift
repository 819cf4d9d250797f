import Testing

@testable import Router

/// Promise: the same lines are found in whatever pieces a file is read.
@Suite struct LineSplitterTests {
    private func lines(_ bytes: [UInt8], pieces size: Int, longest: Int) -> ([String], [Int], rest: Int) {
        var (lines, sizes, splitter) = ([String](), [Int](), LineSplitter(longest: longest))
        for start in stride(from: 0, to: bytes.count, by: size) {
            splitter.take(Array(bytes[start..<min(start + size, bytes.count)])) { line, size in
                lines.append(String(decoding: line, as: UTF8.self))
                sizes.append(size)
            }
        }
        return (lines, sizes, splitter.begunSize)
    }

    @Test("Lines, empty ones and one that has not ended, in pieces of any size", arguments: 1...20)
    func pieces(size: Int) {
        let (lines, sizes, rest) = lines(Array("one\n\ntwo three\nrest".utf8), pieces: size, longest: 100)
        #expect(lines == ["one", "", "two three"])
        #expect(sizes == [4, 1, 10])
        #expect(rest == 4)
    }

    @Test("Of a line that is too long so much is kept that it can be seen, and it is counted wholly", arguments: 1...20)
    func tooLong(size: Int) {
        let (lines, sizes, rest) = lines(Array("a\n0123456789\nb\n".utf8), pieces: size, longest: 4)
        #expect(lines == ["a", "01234", "b"])
        #expect(sizes == [2, 11, 2])
        #expect(rest == 0)
    }
}
