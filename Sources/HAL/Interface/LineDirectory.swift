public import DeviceModel

/// All lines of a board by name, and the rules by which a person's word for one is understood.
///
/// Every board uses it, so that a line means the same on all of them.
public struct LineDirectory: Sendable {
    /// A chip and the names of its lines.
    public struct Chip: Sendable {
        /// What the kernel calls it, such as `gpiochip0`; it may differ from boot to boot.
        public var name: String
        /// Its label, which does not change.
        public var label: String
        /// The names of its lines by offset; empty where a line has none.
        public var lineNames: [String]

        /// A chip and its lines.
        public init(name: String, label: String, lineNames: [String]) {
            self.name = name
            self.label = label
            self.lineNames = lineNames
        }
    }

    /// Where a line is.
    public struct Place: Hashable, Sendable {
        /// The chip, as an index into ``LineDirectory/chips``.
        public let chip: Int
        /// The line on it.
        public let offset: Int

        /// A line of a chip.
        public init(chip: Int, offset: Int) {
            self.chip = chip
            self.offset = offset
        }
    }

    /// The chips.
    public let chips: [Chip]

    /// A directory of these chips.
    public init(_ chips: [Chip]) {
        self.chips = chips
    }

    /// Finds a line.
    ///
    /// - Parameter reference: What a person called it.
    /// - Returns: Where it is.
    /// - Throws: ``HALError`` with `absent` or, naming all that could be meant, `ambiguous`.
    public func find(_ reference: LineReference) throws(HALError) -> Place {
        if case .chip(let label, let offset) = reference { return try find(label: label, offset: offset) }
        guard case .name(let name) = reference.normalised else {
            throw HALError(.absent, "line \(reference)", advice: "this pin of the header carries no GPIO line")
        }
        let named = places { $0 == name }
        if named.count == 1 { return named[0] }
        if named.count > 1 {
            throw HALError(
                .ambiguous, "line \(reference)",
                advice: "write { chip = \"…\", offset = … } for one of: \(named.map(words).joined(separator: ", "))")
        }
        guard let number = reference.gpio else {
            throw HALError(.absent, "line \(reference)", advice: "`m2m probe` lists the lines of this board")
        }
        return try findOnHeader(number, reference)
    }

    /// Finds a line.
    ///
    /// - Parameter reference: What a person called it.
    /// - Returns: Where it is, with the kernel's name for it, or the person's where it has none.
    /// - Throws: ``HALError`` with `absent` or, naming all that could be meant, `ambiguous`.
    public func locate(_ reference: LineReference) throws(HALError) -> LineID {
        let place = try find(reference)
        let name = chips[place.chip].lineNames[place.offset]
        return LineID(
            chip: chips[place.chip].label, offset: place.offset, name: name.isEmpty ? reference.description : name)
    }

    /// The name of a line for messages: its chip's label and its offset.
    public func words(_ place: Place) -> String {
        "\(chips[place.chip].label) offset \(place.offset)"
    }

    private func find(label: String, offset: Int) throws(HALError) -> Place {
        let matches = chips.indices.filter { chips[$0].label == label }
        guard let chip = matches.first else {
            let advice =
                if let numbered = chips.first(where: { $0.name == label }) {
                    "numbers of chips change from boot to boot; write its label \"\(numbered.label)\""
                } else {
                    "the chips of this board are \(chips.map { "\"\($0.label)\"" }.joined(separator: ", "))"
                }
            throw HALError(.absent, "GPIO chip \(label)", advice: advice)
        }
        guard matches.count == 1 else {
            let names = matches.map { chips[$0].name }.joined(separator: ", ")
            throw HALError(.ambiguous, "GPIO chip \(label)", advice: "\(names) have this label; use the line's name")
        }
        return try place(offset, on: chip, "line \(label) offset \(offset)")
    }

    private func findOnHeader(_ number: Int, _ reference: LineReference) throws(HALError) -> Place {
        let headers = chips.indices.filter { Header.chipLabels.contains(chips[$0].label) }
        guard let header = headers.first, headers.count == 1 else {
            throw HALError(
                .absent, "line \(reference)",
                advice: "no line has this name, and this board has no Raspberry Pi header; `m2m probe` lists the lines")
        }
        return try place(number, on: header, "line \(reference)")
    }

    private func place(_ offset: Int, on chip: Int, _ resource: String) throws(HALError) -> Place {
        let count = chips[chip].lineNames.count
        guard (0..<count).contains(offset) else {
            throw HALError(.absent, resource, advice: "\(chips[chip].label) has the lines 0 to \(count - 1)")
        }
        return Place(chip: chip, offset: offset)
    }

    private func places(where isMeant: (String) -> Bool) -> [Place] {
        chips.indices.flatMap { chip in
            chips[chip].lineNames.indices.filter { isMeant(chips[chip].lineNames[$0]) }.map {
                Place(chip: chip, offset: $0)
            }
        }
    }
}
