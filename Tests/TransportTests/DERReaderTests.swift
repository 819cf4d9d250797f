import NIOSSL
import TestSupport
import Testing

@testable import Transport

/// Whatever bytes come, the reader stays within them, and takes nothing for DER that is none.
@Suite(.timeLimit(.minutes(1))) struct DERReaderTests {
    private func reader(_ bytes: [UInt8]) -> DERReader { DERReader(bytes[...]) }

    @Test("Elements are read one after the other, and what is in them by a reader of their own") func nested() throws {
        var outer = reader([0x30, 6, 0x02, 1, 7, 0x01, 1, 0xFF, 0x04, 0])
        var sequence = try outer.next(DERReader.Tag.sequence).reader
        #expect(try outer.next(if: DERReader.Tag.integer) == nil)
        #expect(try outer.next(DERReader.Tag.octetString).content.isEmpty)
        #expect(outer.isAtEnd)
        #expect(try sequence.next(DERReader.Tag.integer).content == [7])
        #expect(throws: DERError.unexpected) { try sequence.end() }
        #expect(try sequence.next().boolean)
        try sequence.end()
        #expect(throws: DERError.truncated) { try sequence.next() }
    }

    @Test(
        "Lengths are in their shortest form, and within what is there",
        arguments: [
            ([0x04], .truncated), ([0x04, 1], .truncated), ([0x04, 0x81], .truncated), ([0x04, 0x82, 1], .truncated),
            ([0x04, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], .truncated),
            ([0x04, 0x80, 0, 0], .unsupported), ([0x04, 0x81, 1, 0], .unsupported),
            ([0x04, 0x82, 0, 0x80, 0], .unsupported), ([0x04, 0x85, 0, 0, 0, 0, 1], .unsupported),
            ([0x04, 0xFF], .unsupported), ([0x1F, 1, 0], .unsupported), ([0xBF, 0x81, 0], .unsupported),
        ] as [([UInt8], DERError)])
    func lengths(_ bytes: [UInt8], _ error: DERError) {
        var reader = reader(bytes)
        #expect(throws: error) { try reader.next() }
    }

    @Test("Long elements are read too", arguments: [127, 128, 255, 256, 65_535, 65_536]) func long(_ count: Int) throws
    {
        let length: [UInt8] =
            switch count {
            case ..<128: [UInt8(count)]
            case ..<256: [0x81, UInt8(count)]
            case ..<65_536: [0x82, UInt8(count >> 8), UInt8(count & 0xFF)]
            default: [0x83, UInt8(count >> 16), UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF)]
            }
        var reader = reader([0x04] + length + [UInt8](repeating: 9, count: count))
        #expect(try reader.next().content.count == count)
        #expect(reader.isAtEnd)
    }

    @Test(
        "Object identifiers have their dots",
        arguments: [
            ([0x55, 0x1D, 0x11], "2.5.29.17"),
            ([0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B], "1.2.840.113549.1.1.11"),
            ([0x2B, 0x65, 0x70], "1.3.101.112"), ([0x88, 0x37, 0x03], "2.999.3"), ([0x00], "0.0"), ([0x27], "0.39"),
        ] as [([UInt8], String)])
    func objectIdentifiers(_ bytes: [UInt8], _ text: String) throws {
        #expect(try DERReader.Element(tag: 6, content: bytes[...]).objectIdentifier == text)
    }

    @Test(
        "What is no object identifier is none",
        arguments: [
            [], [0x80], [0x2A, 0x80, 0x01], [0x2A, 0x86], [UInt8](repeating: 0xFF, count: 12) + [1],
            [UInt8](repeating: 1, count: 65),
        ] as [[UInt8]])
    func noObjectIdentifiers(_ bytes: [UInt8]) {
        #expect(throws: DERError.self) { try DERReader.Element(tag: 6, content: bytes[...]).objectIdentifier }
    }

    @Test("Booleans and bit strings have one form each") func otherForms() throws {
        let element = { (bytes: [UInt8]) in DERReader.Element(tag: 1, content: bytes[...]) }
        #expect(try !element([0]).boolean)
        for bytes: [UInt8] in [[], [1], [0xFF, 0xFF]] {
            #expect(throws: DERError.unsupported) { try element(bytes).boolean }
        }
        #expect(try element([0]).bits == [])
        #expect(try element([7, 0x80]).bits == [0x80])
        for bytes: [UInt8] in [[], [8, 0], [1]] {
            #expect(throws: DERError.unsupported) { try element(bytes).bits }
        }
    }

    @Test("Any bytes are a certificate or none, and nothing else happens") func anyBytes() throws {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0..<64, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            #expect(throws: DERError.self) { try CertificateFacts(bytes) }
            #expect(CertificateRules.problem(in: [bytes]) == .unreadable)
        }
    }

    @Test("A certificate that is cut anywhere is none; one with a byte changed is at worst none") func changed() throws
    {
        var generator = SeededGenerator(seed: 6)
        for name in ["good", "good-pss", "dsa", "for-clients", "demands-policies"] {
            let whole = try #require(try FixtureCertificate.chain(name).first).toDERBytes()
            _ = try CertificateFacts(whole)
            #expect(throws: DERError.self) { try CertificateFacts(whole + [0]) }
            for count in whole.indices {
                #expect(throws: DERError.self) { try CertificateFacts(Array(whole.prefix(count))) }
                for _ in 0..<3 {
                    var bytes = whole
                    bytes[count] = UInt8.random(in: 0...255, using: &generator)
                    _ = CertificateRules.problem(in: [bytes, whole])
                }
            }
        }
    }
}
