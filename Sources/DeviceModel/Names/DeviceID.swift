/// The name of a device, unique in its owner's space: 1 to 63 of `a-z`, `0-9` and `-`, no `-` at either end.
public struct DeviceID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The name.
    public let rawValue: String

    /// - Parameter rawValue: The name; nil when it is none.
    public init?(rawValue: String) {
        let isValid = isName(rawValue) { $0 == "-" || isLetterOrDigit($0) }
        guard isValid, rawValue.first != "-", rawValue.last != "-" else { return nil }
        self.rawValue = rawValue
    }

    /// The name.
    public var description: String { rawValue }

    /// What a name has to look like, for messages.
    public static let rule = "1 to 63 of a-z, 0-9 and -, not beginning or ending with -"
}

/// The name of a component, unique on its device: 1 to 63 of `a-z`, `0-9`, `_` and `-`, beginning with a letter.
public struct ComponentID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name.
    public let rawValue: String

    /// - Parameter rawValue: The name; nil when it is none.
    public init?(rawValue: String) {
        let isValid = isName(rawValue) { $0 == "-" || $0 == "_" || isLetterOrDigit($0) }
        guard isValid, let first = rawValue.unicodeScalars.first, ("a"..."z").contains(first) else { return nil }
        self.rawValue = rawValue
    }

    private init(own name: String) {
        rawValue = name
    }

    /// The watch over the device's files, which no other component may be called.
    public static let integrity = Self(own: "integrity")

    /// The name.
    public var description: String { rawValue }

    /// In the order of the letters.
    public static func < (one: Self, other: Self) -> Bool {
        one.rawValue < other.rawValue
    }

    /// What a name has to look like, for messages.
    public static let rule = "1 to 63 of a-z, 0-9, _ and -, beginning with a letter"
}

private func isName(_ text: String, of allowed: (Unicode.Scalar) -> Bool) -> Bool {
    (1...63).contains(text.utf8.count) && text.unicodeScalars.allSatisfy(allowed)
}

private func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
    ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar)
}
