/// Reads DER (ITU-T X.690), element by element, each within its own bounds.
///
/// Only what certificates are made of: definite lengths in their shortest form, and tags of one byte. Whatever else there
/// is in the bytes is an error. Nothing is copied, and nothing is read twice.
struct DERReader {
    /// An element.
    struct Element {
        /// Class, form and number, as they are encoded.
        var tag: UInt8
        /// What is in it.
        var content: ArraySlice<UInt8>

        /// Reads what is in it.
        var reader: DERReader { DERReader(content) }
    }

    /// The tags of X.680 that certificates use.
    enum Tag {
        static let boolean: UInt8 = 0x01
        static let integer: UInt8 = 0x02
        static let bitString: UInt8 = 0x03
        static let octetString: UInt8 = 0x04
        static let objectIdentifier: UInt8 = 0x06
        static let sequence: UInt8 = 0x30

        /// `[number]` around other elements.
        static func explicit(_ number: UInt8) -> UInt8 { 0xA0 | number }
        /// `[number]` in the place of a string's own tag.
        static func implicit(_ number: UInt8) -> UInt8 { 0x80 | number }
    }

    private var rest: ArraySlice<UInt8>

    /// A reader of some bytes.
    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    /// Whether all has been read.
    var isAtEnd: Bool { rest.isEmpty }

    /// The next element.
    mutating func next() throws(DERError) -> Element {
        let tag = try byte()
        guard tag & 0x1F != 0x1F else { throw .unsupported }  // the number would go on in further bytes
        let length = try length()
        guard length <= rest.count else { throw .truncated }
        let content = rest.prefix(length)
        rest = rest.dropFirst(length)
        return Element(tag: tag, content: content)
    }

    /// The next element, which has to be there with this tag.
    mutating func next(_ tag: UInt8) throws(DERError) -> Element {
        let element = try next()
        guard element.tag == tag else { throw .unexpected }
        return element
    }

    /// The next element if it has this tag; else nothing is read.
    mutating func next(if tag: UInt8) throws(DERError) -> Element? {
        rest.first == tag ? try next() : nil
    }

    /// Makes sure that all has been read.
    func end() throws(DERError) {
        guard isAtEnd else { throw .unexpected }
    }

    /// X.690, 8.1.3 and 10.1.
    private mutating func length() throws(DERError) -> Int {
        let first = try byte()
        guard first >= 0x80 else { return Int(first) }
        let count = Int(first & 0x7F)
        guard count > 0, count <= 4 else { throw .unsupported }
        var length = 0
        for _ in 0..<count { length = length << 8 | Int(try byte()) }
        // The shortest form it has to be.
        guard length >= 0x80, length >> (8 * (count - 1)) > 0 else { throw .unsupported }
        return length
    }

    private mutating func byte() throws(DERError) -> UInt8 {
        guard let byte = rest.popFirst() else { throw .truncated }
        return byte
    }
}

/// Bytes are not what they should be.
enum DERError: Error {
    /// They end too early.
    case truncated
    /// They are not in the form that DER demands, or in one that no certificate has.
    case unsupported
    /// They are something else than what has to be in this place.
    case unexpected
}

extension DERReader.Element {
    /// A BOOLEAN (X.690, 11.1).
    var boolean: Bool {
        get throws(DERError) {
            switch Array(content) {
            case [0xFF]: return true
            case [0x00]: return false
            default: throw .unsupported
            }
        }
    }

    /// The bytes of a BIT STRING, whose last bits may be unused (X.690, 8.6).
    var bits: ArraySlice<UInt8> {
        get throws(DERError) {
            guard let unused = content.first, unused < 8, unused == 0 || content.count > 1 else { throw .unsupported }
            return content.dropFirst()
        }
    }

    /// An OBJECT IDENTIFIER with its dots (X.690, 8.19).
    ///
    /// It may be shown to somebody: a longer one than anybody has is none.
    var objectIdentifier: String {
        get throws(DERError) {
            guard content.count <= 64 else { throw .unsupported }
            var arcs: [UInt64] = []
            var arc: UInt64 = 0
            var isBegun = false
            for byte in content {
                guard isBegun || byte != 0x80, arc >> 57 == 0 else { throw .unsupported }
                arc = arc << 7 | UInt64(byte & 0x7F)
                isBegun = byte & 0x80 != 0
                if isBegun { continue }
                // The first two are in one number.
                if arcs.isEmpty { arcs.append(min(arc / 40, 2)) }
                arcs.append(arcs.count == 1 ? arc - arcs[0] * 40 : arc)
                arc = 0
            }
            guard !arcs.isEmpty, !isBegun else { throw .truncated }
            return arcs.map(String.init).joined(separator: ".")
        }
    }
}
