import DeviceModel

/// What may be an account's name, its password and its security code.
public enum Credentials {
    /// How long a password has to be, at least.
    ///
    /// The code is the second secret.
    static let passwordMinimum = 8
    static let passwordMaximum = 1_024
    static let codeLength = 6
    static let nameMaximum = 63

    /// Checks an account's name.
    ///
    /// - Parameter name: The name.
    /// - Throws: ``RouterProblem`` that says what a name looks like.
    static func check(name: String) throws(RouterProblem) {
        let isName =
            (1...nameMaximum).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || [0x2D, 0x2E, 0x5F, 0x40].contains(byte)
            }
        guard isName else {
            throw RouterProblem(
                .badRequest, name, "an account's name is 1 to 63 of a-z, 0-9, - . _ and @, not '\(name)'")
        }
    }

    /// Checks a password.
    ///
    /// - Parameter password: The password.
    /// - Throws: ``RouterProblem`` that says what is missing.
    static func check(password: String) throws(RouterProblem) {
        guard (passwordMinimum...passwordMaximum).contains(password.utf8.count) else {
            throw RouterProblem(.badRequest, "password", "a password has \(passwordMinimum) characters at least")
        }
    }

    /// Checks a security code.
    ///
    /// - Parameter code: The code.
    /// - Throws: ``RouterProblem`` that says what a code looks like.
    static func check(code: String) throws(RouterProblem) {
        guard code.utf8.count == codeLength, code.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw RouterProblem(.badRequest, "security code", "a security code has exactly \(codeLength) digits")
        }
    }
}
