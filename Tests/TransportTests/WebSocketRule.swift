/// A rule of RFC 6455: what is sent, and what has to be answered.
///
/// A rule holds at both ends. What breaks it is answered by a Close frame with the last of the codes; a rule whose
/// answers don't end with one leaves the connection open.
struct WebSocketRule: Sendable, CustomStringConvertible {
    let description: String
    let frames: [SentFrame]
    let answers: [Answer]
    /// Whether the other end has broken it, and not only closed.
    var isBroken: Bool

    init(_ name: String, _ frames: [SentFrame], _ answers: [Answer]) {
        (description, self.frames, self.answers, isBroken) = (name, frames, answers, false)
    }

    /// A rule that is broken, after some answers.
    init(_ name: String, _ frames: [SentFrame], after answers: [Answer] = [], breaks code: UInt16) {
        (description, self.frames, self.answers, isBroken) = (name, frames, answers + [.close(code)], true)
    }

    static let all = framing + control + opcodes + fragmentation + texts + closing + limits

    private typealias Frame = SentFrame
    private static func more(_ text: String, fin: Bool = true) -> SentFrame {
        SentFrame(SentFrame.continuation, text, fin: fin)
    }

    /// Sections 5.1 and 5.2.
    private static let framing: [WebSocketRule] =
        [0, 1, 125, 126, 127, 1_000].flatMap { size in
            let bytes = [UInt8](repeating: 0x61, count: size)
            return [
                WebSocketRule("a text of \(size) bytes", [Frame(Frame.text, bytes)], [.text(bytes)]),
                WebSocketRule("\(size) bytes", [Frame(Frame.binary, bytes)], [.binary(bytes)]),
            ]
        }
        + (1...7).map { bits in
            WebSocketRule(
                "reserved bits \(bits), after a good text",
                [Frame(Frame.text, "a"), Frame(Frame.text, "b", reserved: bits), Frame(Frame.ping)],
                after: [.text("a")], breaks: 1_002)
        }
        + [
            WebSocketRule("reserved bits in a ping", [Frame(Frame.ping, reserved: 1)], breaks: 1_002),
            WebSocketRule("reserved bits in a Close frame", [Frame(Frame.close, reserved: 4)], breaks: 1_002),
            WebSocketRule(
                "a length of 5 in two bytes more", [Frame(Frame.binary, "abcde".bytes, width: 3)], breaks: 1_002),
            WebSocketRule(
                "a length of 125 in two bytes more", [Frame(Frame.binary, width: 3, length: 125)], breaks: 1_002),
            WebSocketRule(
                "a length of 126 in eight bytes", [Frame(Frame.binary, width: 9, length: 126)], breaks: 1_002),
            WebSocketRule(
                "a length of 65 535 in eight bytes", [Frame(Frame.binary, width: 9, length: 65_535)], breaks: 1_002),
            WebSocketRule("a length with its top bit", [Frame(Frame.binary, length: 1 << 63)], breaks: 1_002),
            WebSocketRule("the greatest length of all", [Frame(Frame.binary, length: .max)], breaks: 1_002),
        ]

    /// Section 5.5.
    private static let control: [WebSocketRule] = [
        WebSocketRule("an empty ping", [Frame(Frame.ping)], [.pong([])]),
        WebSocketRule(
            "a ping of 125 bytes", [Frame(Frame.ping, [UInt8](repeating: 0xFE, count: 125))],
            [.pong([UInt8](repeating: 0xFE, count: 125))]),
        WebSocketRule(
            "ten pings in order", (0..<10).map { Frame(Frame.ping, [$0]) }, (0..<10).map { .pong([$0]) }),
        WebSocketRule("a pong that nobody asked for", [Frame(Frame.pong, "x"), Frame(Frame.pong)], []),
        WebSocketRule("a ping of 126 bytes", [Frame(Frame.ping, width: 3, length: 126)], breaks: 1_002),
        WebSocketRule("a pong of 126 bytes", [Frame(Frame.pong, width: 3, length: 126)], breaks: 1_002),
        WebSocketRule("a ping beyond every limit", [Frame(Frame.ping, length: 1 << 40)], breaks: 1_002),
        WebSocketRule("a ping in pieces", [Frame(Frame.ping, fin: false)], breaks: 1_002),
        WebSocketRule("a pong in pieces", [Frame(Frame.pong, fin: false)], breaks: 1_002),
        WebSocketRule("a Close frame in pieces", [Frame(Frame.close, fin: false)], breaks: 1_002),
    ]

    /// Section 11.8.
    private static let opcodes: [WebSocketRule] = ([3, 4, 5, 6, 7, 11, 12, 13, 14, 15] as [UInt8]).map { opcode in
        WebSocketRule(
            "opcode \(opcode), after good bytes", [Frame(Frame.binary, "a"), Frame(opcode, "b"), Frame(Frame.ping)],
            after: [.binary([0x61])], breaks: 1_002)
    }

    /// Section 5.4.
    private static let fragmentation: [WebSocketRule] = [
        WebSocketRule("a text in two pieces", [Frame(Frame.text, "ab", fin: false), more("c")], [.text("abc")]),
        WebSocketRule(
            "bytes in pieces without content", [Frame(Frame.binary, fin: false), more("", fin: false), more("")],
            [.binary([])]),
        WebSocketRule(
            "pings between pieces",
            [
                Frame(Frame.text, "a", fin: false), Frame(Frame.ping, "1"), more("b", fin: false),
                Frame(Frame.pong), Frame(Frame.ping, "2"), more("c"),
            ],
            [.pong("1".bytes), .pong("2".bytes), .text("abc")]),
        WebSocketRule("more of nothing", [more("a")], breaks: 1_002),
        WebSocketRule("more of nothing, and more to come", [more("a", fin: false)], breaks: 1_002),
        WebSocketRule(
            "more after the end", [Frame(Frame.text, "a", fin: false), more("b"), more("c")],
            after: [.text("ab")], breaks: 1_002),
        WebSocketRule(
            "a text within bytes", [Frame(Frame.binary, "a", fin: false), Frame(Frame.text, "b")], breaks: 1_002),
        WebSocketRule(
            "bytes within a text", [Frame(Frame.text, "a", fin: false), Frame(Frame.binary, "b", fin: false)],
            breaks: 1_002),
    ]

    /// Sections 5.6 and 8.1.
    private static let texts: [WebSocketRule] = [
        WebSocketRule(
            "a character over three pieces",
            [
                Frame(Frame.text, [0xE2], fin: false), Frame(Frame.continuation, [0x82], fin: false),
                Frame(Frame.continuation, [0xAC]),
            ], [.text("€")]),
        WebSocketRule("a text that is none", [Frame(Frame.text, [0xCE, 0xBA, 0xFF])], breaks: 1_007),
        WebSocketRule(
            "a piece that can't become one is told at once", [Frame(Frame.text, [0xED, 0xA0], fin: false)],
            breaks: 1_007),
        WebSocketRule(
            "a text that ends within a character",
            [Frame(Frame.text, [0xE2], fin: false), Frame(Frame.continuation, [0x82])], breaks: 1_007),
        WebSocketRule(
            "bytes need not be a text", [Frame(Frame.binary, [0xFF, 0xC0])], [.binary([0xFF, 0xC0])]),
    ]

    /// Sections 5.5.1 and 7.4.
    private static let closing: [WebSocketRule] =
        ([1_000, 1_001, 1_002, 1_003, 1_007, 1_011, 1_012, 1_014, 3_000, 3_999, 4_000, 4_999] as [UInt16]).map { code in
            WebSocketRule("closing with \(code)", [.close(code)], [.close(code)])
        }
        + ([0, 999, 1_004, 1_005, 1_006, 1_015, 1_016, 1_100, 2_000, 2_999, 5_000, 65_535] as [UInt16]).map { code in
            WebSocketRule("closing with \(code), which nobody may", [.close(code)], breaks: 1_002)
        }
        + [
            WebSocketRule("closing without a code", [Frame(Frame.close)], [.close(nil)]),
            WebSocketRule("closing with half a code", [Frame(Frame.close, [0x03])], breaks: 1_002),
            WebSocketRule(
                "closing with a reason", [.close(1_000, [UInt8](repeating: 0x61, count: 123))], [.close(1_000)]),
            WebSocketRule(
                "closing with a reason that is too long", [.close(1_000, [UInt8](repeating: 0x61, count: 124))],
                breaks: 1_002),
            WebSocketRule("closing with a reason that is no text", [.close(1_000, [0xC3])], breaks: 1_007),
            WebSocketRule(
                "closing after a message, and within another",
                [Frame(Frame.text, "a"), Frame(Frame.text, "b", fin: false), .close(1_000)],
                [.text("a"), .close(1_000)]),
            WebSocketRule(
                "nothing counts after closing",
                [
                    .close(1_001), Frame(Frame.text, "late"), Frame(Frame.ping), .close(1_000),
                    Frame(Frame.text, reserved: 7),
                ], [.close(1_001)]),
        ]

    /// Section 10.4.
    private static let limits: [WebSocketRule] = [
        WebSocketRule("a frame that is too long, by its head", [Frame(Frame.binary, length: 1_001)], breaks: 1_009),
        WebSocketRule("a GiB, by its head", [Frame(Frame.binary, length: 1 << 30)], breaks: 1_009),
        WebSocketRule(
            "pieces that are too long together",
            [
                Frame(Frame.binary, [UInt8](repeating: 0, count: 600), fin: false),
                Frame(Frame.continuation, [UInt8](repeating: 0, count: 401), fin: false),
            ], breaks: 1_009),
        WebSocketRule(
            "as many pieces as may be",
            [Frame(Frame.text, fin: false)] + [SentFrame](repeating: more("a", fin: false), count: 8) + [more("b")],
            [.text("aaaaaaaab")]),
        WebSocketRule(
            "too many pieces",
            [Frame(Frame.text, fin: false)] + [SentFrame](repeating: more("a", fin: false), count: 10),
            breaks: 1_009),
    ]
}

extension String {
    fileprivate var bytes: [UInt8] { Array(utf8) }
}
