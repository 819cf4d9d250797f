import TestSupport
import Testing
import Wire

/// A claim code is read however a person types it, and a slip of the finger is noticed before anybody is asked.
@Suite struct ClaimCodeTests {
    /// The letters of Crockford's base32: no I, L, O and U.
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")

    /// SHA-256 of some CA.
    private static let digest = (0..<32).map { UInt8($0 * 37 % 256 + 1) }

    private static func code(_ seed: UInt64, caDigest: [UInt8]? = digest) -> ClaimCode {
        var generator = SeededGenerator(seed: seed)
        return ClaimCode(caDigest: caDigest, using: &generator)
    }

    /// The 35 letters of a code, without its dashes.
    private static func letters(_ code: ClaimCode) -> [Character] {
        code.description.filter { $0 != "-" }
    }

    /// What a letter is read as.
    private static func meaning(_ letter: Character) -> Character {
        switch letter {
        case "O": "0"
        case "I", "L": "1"
        default: letter
        }
    }

    @Test("A code reads back as it was written", arguments: 1...50) func readsBack(seed: UInt64) {
        for code in [Self.code(seed), Self.code(seed, caDigest: nil)] {
            #expect(ClaimCode(code.description) == code)
        }
    }

    @Test("A code is seven groups of five letters that can't be taken for each other") func looks() {
        let groups = Self.code(1).description.split(separator: "-", omittingEmptySubsequences: false)
        #expect(groups.map(\.count) == [5, 5, 5, 5, 5, 5, 5])
        #expect(Self.letters(Self.code(1)).allSatisfy(Self.alphabet.contains))
    }

    /// Worked out by another program: the secret, 100 bits of the digest, and the remainder by 1021.
    @Test("The form is the one that is written down") func knownCode() throws {
        let code = try #require(ClaimCode("01234-56789-ABCY3-RZ5WZ-MYQVF-FY7SZ-BXZ2T"))
        #expect(code.secret == "0123456789ABC")
        #expect(!code.trustsSystem)
        #expect(code.matches(caDigest: Array(0xF0...0xFF) + [UInt8](repeating: 0, count: 16)))
        #expect(code.description == "01234-56789-ABCY3-RZ5WZ-MYQVF-FY7SZ-BXZ2T")
    }

    @Test("The secret has 65 bits: 13 places, each of which can be any of 32 letters") func secretHasBits() {
        var seen = [Set<Character>](repeating: [], count: 13)
        var secrets: Set<String> = []
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<1_000 {
            let secret = ClaimCode(caDigest: nil, using: &generator).secret
            secrets.insert(secret)
            #expect(secret.count == 13)
            for (place, letter) in secret.enumerated() { seen[place].insert(letter) }
        }
        #expect(secrets.count == 1_000)
        #expect(seen.allSatisfy { $0 == Set(Self.alphabet) })
    }

    @Test("Case, spaces and dashes don't matter") func typedByPeople() {
        let code = Self.code(2)
        let letters = String(Self.letters(code))
        let pairs = stride(from: 0, to: letters.count, by: 2).map { letters.dropFirst($0).prefix(2) }
        let typed = [
            letters, letters.lowercased(), code.description.lowercased(), pairs.joined(separator: " "),
            pairs.joined(separator: "--"), "  \(code) \n",
            code.description.split(separator: "-").joined(separator: "\t"),
        ]
        for text in typed { #expect(ClaimCode(text) == code, "\(text)") }
    }

    @Test("O is read as zero, I and L as one, in either case") func lookAlikes() throws {
        let code = try #require(ClaimCode("01234-56789-ABCY3-RZ5WZ-MYQVF-FY7SZ-BXZ2T"))
        for (zero, one) in [("O", "I"), ("o", "i"), ("O", "L"), ("o", "l")] as [(Character, Character)] {
            let typed = String(code.description.map { $0 == "0" ? zero : $0 == "1" ? one : $0 })
            #expect(typed != code.description)
            #expect(ClaimCode(typed) == code, "\(typed)")
        }
    }

    @Test("Every single wrong letter is noticed, in all 35 places", arguments: 1...8) func wrongLetters(seed: UInt64) {
        let letters = Self.letters(Self.code(seed))
        var missed: [String] = []
        for place in letters.indices {
            for wrong in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" where Self.meaning(wrong) != letters[place] {
                var typed = letters
                typed[place] = wrong
                if ClaimCode(String(typed)) != nil { missed.append(String(typed)) }
            }
        }
        #expect(missed.isEmpty)
    }

    @Test("Two neighbours that changed places are noticed", arguments: 1...40) func swappedLetters(seed: UInt64) {
        let letters = Self.letters(Self.code(seed))
        var missed: [String] = []
        for place in letters.indices.dropLast() where letters[place] != letters[place + 1] {
            var typed = letters
            typed.swapAt(place, place + 1)
            if ClaimCode(String(typed)) != nil { missed.append(String(typed)) }
        }
        #expect(missed.isEmpty)
    }

    @Test("A letter that is missing or too many is noticed", arguments: 1...8) func wrongLength(seed: UInt64) {
        let letters = Self.letters(Self.code(seed))
        for place in letters.indices {
            var short = letters
            short.remove(at: place)
            #expect(ClaimCode(String(short)) == nil)
            var long = letters
            long.insert(letters[place], at: place)
            #expect(ClaimCode(String(long)) == nil)
        }
    }

    @Test(
        "What is no code at all is none",
        arguments: [
            "", " ", "-", "------", "hello", "01234-56789", String(repeating: "0", count: 34),
            String(repeating: "0", count: 36), String(repeating: "A", count: 100_000),
            "U1234-56789-ABCY3-RZ5WZ-MYQVF-FY7SZ-BXZ2T", "٠1234-56789-ABCY3-RZ5WZ-MYQVF-FY7SZ-BXZ2T",
            "01234_56789_ABCY3_RZ5WZ_MYQVF_FY7SZ_BXZ2T", "01234-56789-АBCY3-RZ5WZ-MYQVF-FY7SZ-BXZ2T",
            "01234-56789-ABCY3-RZ5WZ-MYQVF-FY7SZ-BXZ2\u{1F600}", "\u{0}1234-56789-ABCY3-RZ5WZ-MYQVF-FY7SZ-BXZ2T",
        ]) func foreignText(text: String)
    {
        #expect(ClaimCode(text) == nil)
    }

    @Test("A code knows the router's CA by the first hundred bits of its fingerprint") func knowsTheCA() {
        let code = Self.code(3)
        #expect(code.matches(caDigest: Self.digest))
        #expect(!code.trustsSystem)
        for bit in 0..<256 {
            var other = Self.digest
            other[bit / 8] ^= 0x80 >> UInt8(bit % 8)
            #expect(code.matches(caDigest: other) == (bit >= 100), "bit \(bit)")
        }
    }

    @Test("A code without a CA trusts the system, and no certificate in its place") func withoutCA() {
        let code = Self.code(4, caDigest: nil)
        #expect(code.trustsSystem)
        #expect(!code.matches(caDigest: Self.digest))
        #expect(!code.matches(caDigest: [UInt8](repeating: 0, count: 32)))
    }

    @Test("Another secret or another CA makes another code") func differs() {
        #expect(Self.code(5) != Self.code(6))
        #expect(Self.code(5) != Self.code(5, caDigest: nil))
        #expect(Self.code(5).secret == Self.code(5, caDigest: nil).secret)
    }
}
