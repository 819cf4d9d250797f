extension BinaryInteger {
    /// The digits of a number that is not negative, with zeros before them.
    ///
    /// - Parameters:
    ///   - width: How many digits there are at least.
    ///   - radix: 10, or 16 for hexadecimal digits.
    /// - Returns: The digits.
    package func padded(to width: Int, radix: Int = 10) -> String {
        let digits = String(self, radix: radix)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
