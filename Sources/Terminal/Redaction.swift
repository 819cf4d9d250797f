/// Takes the secrets out of a text that is passed on: keys, passwords, tokens, and codes for enrolment.
public enum Redaction {
    /// What stands in the place of a secret.
    public static let mark = "[removed]"

    /// A text without what looks like a secret.
    ///
    /// Rather too much is taken out than too little: whoever reads it looks for mistakes, and not for passwords.
    ///
    /// - Parameter text: Any text: a configuration, a log, an answer in JSON.
    /// - Returns: The same, line by line.
    public static func apply(to text: String) -> String {
        text.replacing(#/-----BEGIN (?<kind>[A-Z ]*PRIVATE KEY)-----[\s\S]*?(-----END [A-Z ]*-----|$)/#) { match in
            "-----BEGIN \(match.output.kind)----- \(mark)"
        }
        // A claim code, as people type it.
        .replacing(#/(?:[0-9A-Za-z]{5}[- ]){6}[0-9A-Za-z]{5}/#, with: mark)
        // An address with the name and the password of somebody.
        .replacing(#/:\/\/[^\/\s@"']+@/#, with: "://\(mark)@")
        // key = "value", key: value, "key": "value", --key value
        .replacing(
            #/(?<key>[\w-]*(?:passw|passphrase|secret|token|pepper|psk|credential|claim)[\w-]*["']?\s*[=: ]\s*)(?<value>"[^"]*"|'[^']*'|[^\s,}"']+)/#
                .ignoresCase()
        ) { match in "\(match.output.key)\(mark)" }
    }
}
