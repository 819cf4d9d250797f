public import DeviceModel

extension ValueKind where Value == LineReference {
    /// A GPIO line: `"GPIO17"`, `"pin 11"` or `{ chip = "pinctrl-rp1", offset = 17 }`.
    public static var line: Self {
        let wanted = "a line such as \"GPIO17\", \"pin 11\" or { chip = \"pinctrl-rp1\", offset = 17 }"
        let chip = Key.required("chip", ValueKind<String>.nonEmptyString, "The label of the chip.")
        let offset = Key.required("offset", ValueKind<Int>.integer(0...1_023), "The number of the line on its chip.")
        let table = TableSchema([chip, offset]).kind
        return Self("line") { node, place, findings in
            switch node.value {
            case .string(let text):
                if let line = LineReference(text) { return line }
                findings.add(at: node.position, "'\(place.key)' must be \(wanted), not \"\(text)\"")
                return nil
            case .table:
                return table.read(node, place, &findings).map { .chip($0[chip], offset: $0[offset]) }
            default: return refuse(wanted, node, place, &findings)
            }
        }
    }
}

extension ValueKind where Value == I2CAddress {
    /// The address of a target on an I²C bus.
    public static var i2cAddress: Self {
        ValueKind<Int>.integer(I2CAddress.range, isHexadecimal: true).map("I²C address") { number in
            I2CAddress(number).map { .success($0) } ?? .failure(Mistake("must be an I²C address"))
        }
    }

    /// One of the few addresses that a chip can have.
    ///
    /// - Parameter choices: The addresses.
    /// - Returns: The kind of value.
    public static func i2cAddress(among choices: [I2CAddress]) -> Self {
        let words = listed(choices.map(\.description))
        return Self(words) { node, place, findings in
            guard case .integer(let number) = node.value,
                let address = choices.first(where: { Int64($0.rawValue) == number })
            else { return refuse(words, node, place, &findings) }
            return address
        }
    }
}
