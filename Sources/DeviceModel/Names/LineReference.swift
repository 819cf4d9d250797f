/// How a person names a line.
public enum LineReference: Hashable, Sendable, CustomStringConvertible {
    /// By its name. `GPIO17` is a line that the kernel calls so, else BCM number 17 on the header's chip.
    case name(String)
    /// By its number on the 40-pin header.
    case pin(Int)
    /// By the label of its chip and its number there.
    case chip(String, offset: Int)

    /// Reads `GPIO17` or `pin 11`.
    ///
    /// Nil when it is neither, or names a pin that carries no GPIO line.
    ///
    /// - Parameter text: What a person wrote.
    public init?(_ text: String) {
        if let number = text.number(after: "pin") {
            guard Header.gpio(ofPin: number) != nil else { return nil }
            self = .pin(number)
        } else if !text.isEmpty, text.utf8.count < 32, !text.contains(where: \.isWhitespace) {
            self = .name(text)
        } else {
            return nil
        }
    }

    /// The same line always in the same form, as far as that can be told without looking at a board.
    public var normalised: LineReference {
        if case .pin(let pin) = self, let gpio = Header.gpio(ofPin: pin) { .name("GPIO\(gpio)") } else { self }
    }

    /// The BCM number, where the reference gives one; on a chip to which a header is wired, offsets are those numbers.
    public var gpio: Int? {
        switch self {
        case .name(let name): name.number(after: "GPIO")
        case .pin(let pin): Header.gpio(ofPin: pin)
        case .chip(let label, let offset): Header.chipLabels.contains(label) ? offset : nil
        }
    }

    /// The reference as a person writes it.
    public var description: String {
        switch self {
        case .name(let name): name
        case .pin(let pin): "pin \(pin)"
        case .chip(let chip, let offset): "\(chip) offset \(offset)"
        }
    }
}

/// The 40-pin header of the Raspberry Pi (Raspberry Pi documentation, "GPIO and the 40-pin header").
public enum Header {
    /// BCM numbers by pin; pins that are missing here carry power, ground or the ID EEPROM's bus.
    private static let gpioOfPin: [Int: Int] = [
        3: 2, 5: 3, 7: 4, 8: 14, 10: 15, 11: 17, 12: 18, 13: 27, 15: 22, 16: 23, 18: 24, 19: 10, 21: 9, 22: 25,
        23: 11, 24: 8, 26: 7, 29: 5, 31: 6, 32: 12, 33: 13, 35: 19, 36: 16, 37: 26, 38: 20, 40: 21,
    ]

    /// The BCM number on a pin of the header.
    ///
    /// - Parameter pin: 1 to 40.
    /// - Returns: nil for pins that carry no GPIO line.
    public static func gpio(ofPin pin: Int) -> Int? {
        gpioOfPin[pin]
    }

    /// The labels of the chips to which the header is wired: Pi 1 to 3 and Zero, Pi 4, Pi 5.
    public static let chipLabels = ["pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"]
}

extension String {
    /// The whole number after a word, with or without a space between: 11 in `pin 11`.
    fileprivate func number(after word: String) -> Int? {
        guard hasPrefix(word) else { return nil }
        let rest = dropFirst(word.count).drop(while: { $0 == " " })
        guard !rest.isEmpty, rest.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(rest)
    }
}
