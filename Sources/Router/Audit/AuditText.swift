extension String {
    /// The text as it may stand in the audit log: what does something to a terminal is written out, such as `\u{1b}`, and
    /// what is too long ends with `…`.
    ///
    /// - Parameter bound: How many bytes of UTF-8 are left, at most.
    /// - Returns: The text, which another time would not change.
    func auditText(_ bound: Int) -> String {
        if utf8.count <= bound, utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return self }
        var kept: [UInt8] = []
        /// How much of it leaves room for the sign that something is missing.
        var shorter = 0
        for scalar in unicodeScalars {
            let piece = scalar.isHarmless ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
            guard kept.count + piece.utf8.count <= bound else {
                return String(decoding: kept.prefix(shorter), as: UTF8.self) + Self.ellipsis
            }
            kept += piece.utf8
            if kept.count <= bound - Self.ellipsis.utf8.count { shorter = kept.count }
        }
        return String(decoding: kept, as: UTF8.self)
    }

    private static let ellipsis = "…"
}

extension Unicode.Scalar {
    /// Whether it is nothing but a character that one sees: it moves no cursor, and turns no direction of writing.
    fileprivate var isHarmless: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}
