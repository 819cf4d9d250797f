import Terminal
import Testing

@Suite struct RedactionTests {
    @Test(
        "Secrets are taken out, and what they are is left to be seen",
        arguments: [
            ("password = \"correct horse\"", "password = [removed]"),
            ("  \"token\":\"0a1b2c\",\"user\":\"anna\"", "  \"token\":[removed],\"user\":\"anna\""),
            ("wpa_passphrase: hunter2", "wpa_passphrase: [removed]"),
            ("m2m-agent enroll --claim 8K2PQ-11111", "m2m-agent enroll --claim [removed]"),
            ("use ABCDE-12345-FGHIJ-67890-KLMNO-PQRST-UVWXY now", "use [removed] now"),
            ("url = \"wss://anna:secret@router.example\"", "url = \"wss://[removed]@router.example\""),
            (
                "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\nAAAA\n-----END EC PRIVATE KEY-----\nid = 3",
                "-----BEGIN EC PRIVATE KEY----- [removed]\nid = 3"
            ),
            ("-----BEGIN PRIVATE KEY-----\nMHcCAQEE", "-----BEGIN PRIVATE KEY----- [removed]"),
            ("PSK=abc\nSSID=garden", "PSK=[removed]\nSSID=garden"),
        ])
    func secrets(_ text: String, _ redacted: String) {
        #expect(Redaction.apply(to: text) == redacted)
    }

    @Test(
        "What is no secret stays",
        arguments: [
            "[device]\nid = \"greenhouse\"\nlabel = \"Gewächshaus Süd\"",
            "ca_file = \"/etc/m2m-agent/ca.pem\"", "root 63:9f:0c counter 3", "wss://router.example:8443",
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        ])
    func others(_ text: String) {
        #expect(Redaction.apply(to: text) == text)
    }
}
