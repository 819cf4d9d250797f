import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: a server whose certificate, version of TLS or cipher is not good enough is refused by agent and `m2m`, which
    /// say why and what to do.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct ServerCertificateTests {
        /// A server, and what is said of it.
        struct Server: Sendable, CustomTestStringConvertible {
            /// Its certificates in `Fixtures/certificates`.
            let name: String
            /// The CA that is given to whoever connects.
            var ca = "ca"
            /// How it speaks TLS: as badly as openssl can, where nothing else is said.
            var options = ["-cipher", "ALL:@SECLEVEL=0"]
            /// What is said of it, after its URL.
            let words: String

            var testDescription: String { "\(name) \(options.joined(separator: " "))" }
        }

        private static let advice = "; give the router's own CA (its tls/ca.pem) as ca_file or --ca"
        private static let otherCA =
            "its certificate is signed by another CA than the one that is trusted here\(advice)"
        private static let clock = "; is this machine's clock right?"
        private static let strongKey = "too weak; make one on P-256, or RSA with 2048 bits or more"
        private static let strongHash = "signed with SHA-1, which can be forged; make one that is signed with SHA-256"
        private static let noCipher =
            "offers no cipher that is good enough, or has no key for one: "
            + "TLS 1.3, or TLS 1.2 with ECDHE and AES-GCM or ChaCha20, is needed"

        private static func untrusted(_ name: String, ca: String = "ca", _ words: String) -> Server {
            Server(name: name, ca: ca, words: "cannot be trusted: \(words)")
        }

        static let certificates = [
            untrusted("expired", "its certificate expired on 2001-01-01\(clock)"),
            untrusted("not-yet-valid", "its certificate is valid only from 2200-01-01 on\(clock)"),
            untrusted("wrong-host", "its certificate is for router.example, 192.0.2.1, not for localhost"),
            untrusted("address-only", "its certificate is for 127.0.0.1, ::1, not for localhost"),
            untrusted("self-signed", "its certificate signed itself, and is not the CA that is trusted here\(advice)"),
            untrusted("wrong-ca", otherCA),
            untrusted(
                "common-name-only",
                "its certificate names nobody by a subjectAltName, only by its common name; "
                    + "make one with a subjectAltName"),
            untrusted("rsa-1024", "its key is RSA with 1024 bits, \(strongKey)"),
            untrusted(
                "by-intermediate-rsa-1024",
                "the key of a CA between it and the trusted one is RSA with 1024 bits, \(strongKey)"),
            untrusted("by-ca-rsa-1024", ca: "ca-rsa-1024", "the key of its CA is RSA with 1024 bits, \(strongKey)"),
            untrusted("sha-1", "its certificate is \(strongHash)"),
            untrusted(
                "by-intermediate-sha-1", "the certificate of a CA between it and the trusted one is \(strongHash)"),
            untrusted(
                "for-clients",
                "its certificate is not meant for servers (extended key usage clientAuth); make one with serverAuth"),
            untrusted(
                "not-for-signing",
                "its certificate's key may not sign a handshake (key usage); make one with digitalSignature"),
            untrusted(
                "ca-as-server",
                "its certificate is that of a CA, not of a server; make one with CA:FALSE, signed by that CA"),
            untrusted(
                "by-no-ca",
                "its certificate is signed by a certificate that is not that of a CA; have it signed by a CA"),
        ]

        static let handshakes = [
            Server(
                name: "good", options: ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
                words: "speaks no TLS of version 1.2 or later; bring it up to date"),
            Server(
                name: "good", options: ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
                words: "speaks no TLS of version 1.2 or later; bring it up to date"),
            Server(name: "good", options: ["-tls1_2", "-cipher", "NULL:@SECLEVEL=0"], words: noCipher),
            Server(name: "good", options: ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"], words: noCipher),
            Server(name: "p-224", words: noCipher),
        ]

        static let good = [
            Server(name: "good", options: ["-tls1_3"], words: "is no m2m router: it answered 200 OK"),
            Server(name: "good", options: ["-tls1_2"], words: "is no m2m router: it answered 200 OK"),
            Server(name: "good-by-intermediate", options: [], words: "is no m2m router: it answered 200 OK"),
            Server(name: "good-rsa", ca: "ca-rsa", options: [], words: "is no m2m router: it answered 200 OK"),
        ]

        @Test(
            "The good one is talked to, and turns out to be no router; every other one is refused, with its reason",
            arguments: certificates + handshakes + good)
        func server(_ server: Server) async throws {
            try await Household.open { house in
                let url = try await house.startTLSServer(server.name, server.options)
                let ca = Fixture.path("certificates/\(server.ca).pem")
                let login = try await house.run(
                    "m2m", ["login", url, "--user", Household.user, "--ca", ca],
                    input: [Household.password, Household.code])
                #expect(login.status == 1)
                #expect(login.output.isEmpty)
                #expect(login.errors == ["m2m: \(url) \(server.words)"])
                #expect(!FileManager.default.fileExists(atPath: house.session))

                try house.writeDevice([
                    .init("wss://127.0.0.1:8443", url), .init("[local]", "ca_file = \"\(ca)\"\n\n[local]"),
                ])
                let enrolment = try await house.run(
                    "m2m-agent", ["enroll", "--config", house.configuration, "--account", Household.user])
                #expect(enrolment.status == 1)
                #expect(enrolment.output.isEmpty)
                #expect(enrolment.errors == ["m2m-agent: \(url) \(server.words)"])

                let agent = try house.start("m2m-agent", ["run", "--config", house.configuration])
                let line = try await agent.errors.next(with: "no link to the router")
                #expect(line.contains("\(url) \(server.words)"), "\(line)")
            }
        }

        @Test("The CA that a claim code names vouches for nobody whom it did not sign, whoever presents it")
        func claim() async throws {
            try await Household.open { house in
                try await house.moveIn()
                let code = try await house.claim()
                let url = try await house.startTLSServer("wrong-ca", ["-cert_chain", house.ca])
                try house.writeDevice([.init("wss://127.0.0.1:8443", url)])
                let outcome = try await house.run(
                    "m2m-agent", ["enroll", "--config", house.configuration, "--claim", code])
                #expect(outcome.status == 1)
                #expect(outcome.errors == ["m2m-agent: \(url) cannot be trusted: \(Self.otherCA)"])
                #expect(!FileManager.default.fileExists(atPath: "\(house.stateDirectory)/router-ca.pem"))
            }
        }

        @Test(
            "The router speaks no other version and no other cipher, whatever it is asked for",
            arguments: [
                (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], false),
                (["-tls1_2", "-cipher", "NULL:@SECLEVEL=0"], false),
                (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"], false),
                (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], true),
                (["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"], true), (["-tls1_3"], true),
            ])
        func router(_ options: [String], _ isAnswered: Bool) async throws {
            try await Household.open { house in
                try await house.startRouter()
                let address = String(house.url.dropFirst("wss://".count))
                let client = try house.openssl(
                    ["s_client", "-connect", address, "-CAfile", house.ca, "-verify_return_error"] + options)
                let outcome = try await client.outcome()
                #expect((outcome.status == 0) == isAnswered, "\(outcome)")
            }
        }
    }
}
