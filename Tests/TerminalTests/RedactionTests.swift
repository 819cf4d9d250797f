import Terminal
import Testing

@Suite(.timeLimit(.minutes(1))) struct RedactionTests {
    @Test(
        "Secrets are taken out, and what they are is left to be seen",
        arguments: [
            ("password = \"correct horse\"", "password = \"[removed]\""),
            ("password = correct horse", "password = [removed]"),
            ("  \"token\":\"0a1b2c\",\"user\":\"anna\"", "  \"token\":\"[removed]\",\"user\":\"anna\""),
            (#"{"secret":"a\"b","n":1}"#, #"{"secret":"[removed]","n":1}"#),
            ("wpa_passphrase: hunter2", "wpa_passphrase: [removed]"),
            ("api_key='abc' # mine", "api_key='[removed]' # mine"),
            ("Authorization: Bearer abc.def", "Authorization: Bearer [removed]"),
            ("m2m-agent enroll --claim 8K2PQ-11111", "m2m-agent enroll --claim [removed]"),
            ("use ABCDE-12345-FGHIJ-67890-KLMNO-PQRST-UVWXY now", "use [removed] now"),
            ("url = \"wss://anna:secret@router.example\"", "url = \"wss://[removed]@router.example\""),
            (
                "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\nAAAA\n-----END EC PRIVATE KEY-----\nid = 3",
                "a private key: [removed]\nid = 3"
            ),
            (
                "-----BEGIN PRIVATE KEY-----\nMHcCAQEE\n12:00 error: [Link] it goes on",
                "a private key: [removed]\n12:00 error: [Link] it goes on"
            ),
            ("enroll ABCDE12345FGHIJ67890KLMNOPQRSTUVWXY", "enroll [removed]"),
            ("mqtt_pass = x1", "mqtt_pass = [removed]"), ("security code 654321", "security code [removed]"),
            ("the password is hunter", "the password [removed]"),
            ("PSK=abc\nSSID=garden", "PSK=[removed]\nSSID=garden"),
            ("secret:\n[next]", "secret:\n[next]"),
        ])
    func secrets(_ text: String, _ redacted: String) {
        #expect(Redaction.apply(to: text) == redacted)
    }

    @Test(
        "What is no secret stays",
        arguments: [
            "[device]\nid = \"greenhouse\"\nlabel = \"Gewächshaus Süd\"\n",
            "ca_file = \"/etc/m2m-agent/ca.pem\"", "root 63:9f:0c counter 3", "wss://router.example:8443",
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "enrolled by claim code",
            "# `m2m claim NAME` there makes the code", "Started systemd-ask-password.path - Dispatch Password Requests",
            "ok       i2c           0x76 answers on bus 1: climate",
        ])
    func others(_ text: String) {
        #expect(Redaction.apply(to: text) == text)
    }

    @Test("A file of noise in one line is cut, and costs no time") func noise() {
        let redacted = Redaction.apply(to: String(repeating: "passw", count: 1_000_000))
        #expect(redacted.utf8.count < 5_000)
        #expect(redacted.hasSuffix(" … [removed]"))
    }
}
