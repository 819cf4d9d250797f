import NIOCore
import Testing

@testable import Transport

/// Promise: what is a text, and what is none, in whatever pieces it comes (RFC 3629).
@Suite struct UTF8CheckTests {
    @Test(
        "Texts, and all their beginnings",
        arguments: [
            "", "a", "\u{0}\u{7F}", "\u{80}\u{7FF}", "\u{800}\u{FFFF}", "\u{D7FF}\u{E000}", "\u{10000}\u{10FFFF}",
            "eight by", "eight bytes é and eight more 🙂", "\u{FEFF}κόσμος",
        ])
    func texts(_ text: String) {
        let bytes = Array(text.utf8)
        #expect(UTF8Check.isText(ByteBuffer(bytes: bytes)))
        for end in 0...bytes.count {
            var check = UTF8Check()
            let isBeginning = check.take(ByteBuffer(bytes: bytes[..<end]))
            #expect(isBeginning)
            #expect(check.isWhole == (String(validating: bytes[..<end], as: UTF8.self) != nil))
            let isText = check.take(ByteBuffer(bytes: bytes[end...])) && check.isWhole
            #expect(isText)
        }
    }

    @Test("Every character alone") func characters() {
        for value in stride(from: UInt32(0), through: 0x10_FFFF, by: 61) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            #expect(UTF8Check.isText(ByteBuffer(string: String(scalar))))
        }
    }

    @Test("Bytes are a text where Swift says so, too") func pairs() {
        let eight = [UInt8](repeating: 0x41, count: 8)
        for first in UInt8(0x7E)...0xFF {
            for second: UInt8 in [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF] {
                for rest: [UInt8] in [[], [0x80], [0xBF, 0x80], [0x80, 0xBF, 0x80], [0x41], eight + [0x80]] {
                    let bytes = [first, second] + rest
                    let isText = String(validating: bytes, as: UTF8.self) != nil
                    #expect(UTF8Check.isText(ByteBuffer(bytes: bytes)) == isText, "\(bytes)")
                }
            }
        }
    }

    @Test("The first byte that can't be is told at once", arguments: 0..<20)
    func failure(_ place: Int) {
        var bytes = [UInt8](repeating: 0x61, count: 20)
        bytes[place] = 0xFF
        var check = UTF8Check()
        let isBeginning = check.take(ByteBuffer(bytes: bytes[..<place]))
        let isText = check.take(ByteBuffer(bytes: bytes[place...place]))
        #expect(isBeginning && !isText)
        #expect(!UTF8Check.isText(ByteBuffer(bytes: bytes)))
    }
}
