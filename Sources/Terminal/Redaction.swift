/// Takes the secrets out of a text that is passed on: keys, passwords, tokens, and codes for enrolment.
public enum Redaction {
    /// What stands in the place of a secret.
    public static let mark = "[removed]"
    /// How long a line may be: what follows is no log and no configuration.
    private static let longest = 4_096

    /// A text without what looks like a secret.
    ///
    /// Rather too much is taken out than too little: whoever reads it looks for mistakes, and not for passwords.
    ///
    /// - Parameter text: Any text: a configuration, a log, an answer in JSON.
    /// - Returns: The same, line by line.
    public static func apply(to text: String) -> String {
        var isKey = false
        var lines: [String] = []
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            // A private key in PEM (RFC 7468), up to its last line, or to one that can't be of it.
            if isKey, line.contains("-----END ") {
                isKey = false
                continue
            }
            isKey = isKey && line.wholeMatch(of: #/[A-Za-z0-9+\/=\s]*|[A-Za-z-]+: \S+/#) != nil
            if isKey { continue }
            if line.contains("-----BEGIN "), line.contains("PRIVATE KEY") {
                isKey = !line.contains("-----END ")
                lines.append("a private key: \(mark)")
            } else {
                let rest = line.utf8.count > longest ? " … \(mark)" : ""
                lines.append(redacted(String(line.prefix(longest))) + rest)
            }
        }
        return lines.joined(separator: "\n")
    }

    private static func redacted(_ line: String) -> String {
        // A claim code, with and without its dashes.
        line.replacing(#/\b(?:[0-9A-Z]{5}-){6}[0-9A-Z]{5}\b|\b[0-9A-Z]{35}\b/#.ignoresCase(), with: mark)
            // An address with the name and the password of somebody.
            .replacing(#/:\/\/[^\/\s@"']+@/#, with: "://\(mark)@")
            .replacing(#/(?<scheme>Bearer|Basic) +[^\s"',]+/#.ignoresCase()) { "\($0.output.scheme) \(mark)" }
            // --claim VALUE and its like.
            .replacing(#/(?<name>--(?:claim|code|password|token|secret)) +[^\s"']+/#.ignoresCase()) {
                "\($0.output.name) \(mark)"
            }
            .replacing(#/(?<name>password|passphrase|security code) +(?:is +|-> *)?[^\s"',]+/#.ignoresCase()) {
                // Words about passwords are no passwords.
                $0.output.0.contains(#/\d| is |->/#) ? "\($0.output.name) \(mark)" : String($0.output.0)
            }
            // key = "value", key: value, "key": "value".
            .replacing(secretField.ignoresCase()) { field in
                "\(field.output.key)\(field.output.sign)\(quoted(field.output.value))"
            }
    }

    private static var secretField: Regex<(Substring, key: Substring, sign: Substring, value: Substring)> {
        #/(?<key>\b[\w-]{0,40}?(?:pass|pwd|\bpw\b|auth\b|secret|token|pepper|psk|credential|api[-_]?key|\bpin\b)[\w-]{0,40}["']?)(?<sign>\s*[=:]\s*)(?<value>"(?:[^"\\]|\\.)*"|'[^']*'|[^"',}\]]+)/#
    }

    /// The mark in the quotes in which the value was: JSON stays JSON.
    private static func quoted(_ value: Substring) -> String {
        guard let quote = value.first, quote == "\"" || quote == "'" else { return mark }
        return "\(quote)\(mark)\(quote)"
    }
}
