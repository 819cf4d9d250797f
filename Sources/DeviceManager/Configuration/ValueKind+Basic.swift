public import DeviceModel

extension ValueKind where Value == String {
    /// A text.
    public static var string: Self {
        Self("text") { node, place, findings in
            guard case .string(let text) = node.value else { return refuse("a text in quotes", node, place, &findings) }
            return text
        }
    }

    /// A text that is not empty, and no longer than a text in a message may be.
    public static var nonEmptyString: Self {
        let limit = 4_096  // MessagePackReader.textLimit; the longest path (PATH_MAX, limits.h) is as long
        return string.map { text in
            guard !text.isEmpty else { return .failure(Mistake("must not be empty")) }
            guard text.utf8.count <= limit else { return .failure(Mistake("must not be longer than \(limit) bytes")) }
            return .success(text)
        }
    }

    /// The path of a file or folder; one that does not begin with a slash is taken from the configuration's own folder.
    public static var path: Self {
        Self("path") { node, place, findings in
            guard let text = nonEmptyString.read(node, place, &findings) else { return nil }
            guard !text.hasPrefix("~"), !text.contains("\0") else {
                findings.add(at: node.position, "'\(place.key)' must be a path written in full, not \"\(text)\"")
                return nil
            }
            return text.hasPrefix("/") ? text : findings.folder + text
        }
    }
}

extension ValueKind where Value == Bool {
    /// `true` or `false`.
    public static var boolean: Self {
        Self("true or false") { node, place, findings in
            guard case .boolean(let boolean) = node.value else {
                return refuse("true or false", node, place, &findings)
            }
            return boolean
        }
    }
}

extension ValueKind where Value == Int {
    /// A whole number.
    ///
    /// - Parameters:
    ///   - range: The numbers that are allowed.
    ///   - isHexadecimal: Whether messages and documentation write it so.
    /// - Returns: The kind of value.
    public static func integer(_ range: ClosedRange<Int>, isHexadecimal: Bool = false) -> Self {
        let write: @Sendable (Int) -> String = { isHexadecimal ? "0x" + String($0, radix: 16) : String($0) }
        let words = "\(write(range.lowerBound)) to \(write(range.upperBound))"
        return Self("whole number", range: words) { node, place, findings in
            guard case .integer(let number) = node.value else {
                return refuse("a whole number from \(words)", node, place, &findings)
            }
            guard let integer = Int(exactly: number), range.contains(integer) else {
                let written = Int(exactly: number).map(write) ?? "\(number)"
                findings.add(at: node.position, "'\(place.key)' must be from \(words), not \(written)")
                return nil
            }
            return integer
        }
    }
}

extension ValueKind where Value == Int {
    /// One of a few whole numbers.
    ///
    /// - Parameter choices: The numbers.
    /// - Returns: The kind of value.
    public static func choice(of choices: [Int]) -> Self {
        let words = listed(choices.map { String($0) })
        return Self(words) { node, place, findings in
            guard case .integer(let number) = node.value, let integer = Int(exactly: number),
                choices.contains(integer)
            else { return refuse(words, node, place, &findings) }
            return integer
        }
    }
}

extension ValueKind where Value == Duration {
    /// A text such as `20ms`, `2s` or `30m`.
    ///
    /// - Parameter range: The durations that are allowed.
    /// - Returns: The kind of value.
    public static func duration(_ range: ClosedRange<Duration>) -> Self {
        let words = "\(range.lowerBound.text) to \(range.upperBound.text)"
        return Self("duration", range: words) { node, place, findings in
            guard case .string(let text) = node.value else {
                return refuse("a duration in quotes such as \"2s\"", node, place, &findings)
            }
            guard let duration = Duration(text: text) else {
                findings.add(
                    at: node.position,
                    "'\(place.key)' must be a duration such as \"20ms\", \"2s\" or \"30m\", not \"\(text)\"")
                return nil
            }
            guard range.contains(duration) else {
                findings.add(at: node.position, "'\(place.key)' must be from \(words), not \(duration.text)")
                return nil
            }
            return duration
        }
    }
}

extension ValueKind where Value == Double {
    /// A text with a number and its unit, such as `-0.3 °C`; its value is in SI units.
    ///
    /// - Parameters:
    ///   - quantity: What is measured.
    ///   - range: The values that are allowed, in SI units.
    /// - Returns: The kind of value.
    public static func quantity(_ quantity: Quantity, _ range: ClosedRange<Double>) -> Self {
        let write: @Sendable (Double) -> String = { DeviceModel.Value.number($0).text(of: quantity) }
        let words = "\(write(range.lowerBound)) to \(write(range.upperBound))"
        let name = quantity == .information ? "size" : String(quantity.rawValue.map { $0 == "_" ? " " : $0 })
        let example = "\"\(write(quantity.display.toSI(1)))\""
        return Self(name, range: words) { node, place, findings in
            guard case .string(let text) = node.value, let value = quantity.parse(text) else {
                let units = listed(quantity.units.map(\.symbol))
                return refuse(
                    "\(articled(name)) in quotes such as \(example), its unit \(units)", node, place, &findings)
            }
            guard range.contains(value) else {
                findings.add(at: node.position, "'\(place.key)' must be from \(words), not \(text)")
                return nil
            }
            return value
        }
    }
}

extension ValueKind where Value == Node {
    /// Any value, to be checked later by whoever knows what it has to be.
    public static func deferred(_ name: String) -> Self {
        Self(name) { node, _, _ in node }
    }
}

extension ValueKind {
    /// One of a few words.
    ///
    /// - Parameter choices: The words, and what each stands for.
    /// - Returns: The kind of value.
    public static func choice(_ choices: KeyValuePairs<String, Value>) -> Self {
        let pairs = choices.map { (word: $0.key, value: $0.value) }
        let words = listed(pairs.map { "\"\($0.word)\"" })
        return Self(words) { node, place, findings in
            guard case .string(let text) = node.value else { return refuse(words, node, place, &findings) }
            if let pair = pairs.first(where: { $0.word == text }) { return pair.value }
            let hint = suggestion(for: text, among: pairs.map(\.word))
            findings.add(at: node.position, "'\(place.key)' must be \(words), not \"\(text)\"\(hint)")
            return nil
        }
    }

    /// A list of values of a kind; one value alone stands for a list of one.
    public static func list<Element>(of kind: ValueKind<Element>) -> Self where Value == [Element] {
        Self("list of \(kind.name)", range: kind.range) { node, place, findings in
            let nodes = if case .array(let nodes) = node.value { nodes } else { [node] }
            let elements = nodes.map { kind.read($0, place, &findings) }
            return elements.contains { $0 == nil } ? nil : elements.compactMap(\.self)
        }
    }

    /// Adds the finding that a value is not of the kind that is wanted.
    static func refuse(_ wanted: String, _ node: Node, _ place: KeyPlace, _ findings: inout Findings) -> Value? {
        findings.add(at: node.position, "'\(place.key)' must be \(wanted), not \(node.words)")
        return nil
    }
}

/// `a length`, `an illuminance`.
func articled(_ name: String) -> String {
    (name.first.map("aeiou".contains) == true ? "an " : "a ") + name
}

/// `"a", "b" or "c"`.
func listed(_ words: [String]) -> String {
    guard words.count > 1 else { return words.joined() }
    return words.dropLast().joined(separator: ", ") + " or " + words[words.count - 1]
}
