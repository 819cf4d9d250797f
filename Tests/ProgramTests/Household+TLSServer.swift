import Foundation
import TestSupport

extension Household {
    /// Starts a server that speaks TLS and is no router: openssl(1), which serves what no library of ours would.
    ///
    /// - Parameters:
    ///   - certificate: Its certificates and its key, by their name in `Fixtures/certificates`.
    ///   - options: What `openssl s_server` is told besides.
    /// - Throws: ``HarnessError`` when it does not start.
    /// - Returns: Its URL; its certificate should be for localhost.
    func startTLSServer(_ certificate: String, _ options: [String]) async throws -> String {
        let file = Fixture.path("certificates/\(certificate).pem")
        let between = try Fixture.text("certificates/\(certificate).pem")
            .components(separatedBy: "-----BEGIN CERTIFICATE-----").dropFirst(2)
            .map { "-----BEGIN CERTIFICATE-----\($0)" }
        let server = try openssl(
            ["s_server", "-accept", "127.0.0.1:0", "-www", "-cert", file, "-key", file]
                + (between.isEmpty ? [] : ["-cert_chain", folder.write("between.pem", between.joined())]) + options)
        // It names the port that it was given.
        let port = try await server.output.next(with: "ACCEPT ").split(separator: ":").last ?? ""
        return "wss://localhost:\(port)"
    }

    /// Starts openssl(1), whatever this machine's own settings for it are.
    func openssl(_ arguments: [String]) throws -> Program {
        try start("/usr/bin/env", ["openssl"] + arguments, variables: ["OPENSSL_CONF": "/dev/null"])
    }
}
