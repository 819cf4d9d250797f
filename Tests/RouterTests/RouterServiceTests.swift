import DeviceModel
import Foundation
import HALTestKit
import Logging
import TestSupport
import Testing

@testable import Router

/// Promise: a router that can't be started says which of its files is wrong, before it listens anywhere.
@Suite(.timeLimit(.minutes(1))) struct RouterServiceTests {
    private let folder: TemporaryDirectory
    private var data: String { folder.file("data") }

    init() throws {
        folder = try TemporaryDirectory()
    }

    private func service(_ certificate: RouterSettings.CertificateFiles? = nil) throws -> RouterService {
        let settings = RouterSettings(
            address: RouterAddress(host: "127.0.0.1", port: 0), dataDirectory: data, certificate: certificate)
        return try RouterService(
            settings, time: ManualTime(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test("Without a certificate the router makes its own, and shows the CA's file and fingerprint")
    func ownCertificate() throws {
        let service = try service()
        #expect(service.caFile == "\(data)/tls/ca.pem")
        let authority = try CertificateAuthority(folder: "\(data)/tls", now: .now)
        #expect(service.caFingerprint == KeyFingerprint(digest: try authority.digest).description)
        #expect(try SafeFile.read("\(data)/tls/server.pem") != nil)
    }

    @Test("After a restart the fingerprint is the same", .timeLimit(.minutes(1)))
    func sameFingerprint() async throws {
        let first = try service().caFingerprint
        // A program that another test starts just now has its folder, too, for as long as it takes to begin.
        while true {
            do {
                #expect(try service().caFingerprint == first)
                return
            } catch let problem as RouterProblem where problem.description.contains("another router") {
                try Task.checkCancellation()
                await Task.yield()
            }
        }
    }

    @Test("With a certificate from elsewhere there is no CA of its own")
    func givenCertificate() throws {
        let authority = try CertificateAuthority(folder: folder.file("elsewhere"), now: .now)
        let service = try service(try authority.serverFiles(names: ["localhost"], now: .now))
        #expect(service.caFile == nil)
        #expect(service.caFingerprint == nil)
        #expect(try SafeFile.read("\(data)/tls/ca.pem") == nil)
    }

    @Test("A certificate that is not there, or is none, is an error that names its file", arguments: [nil, "rubbish"])
    func badCertificate(_ text: String?) throws {
        let chain = folder.file("chain.pem")
        if let text { try folder.write("chain.pem", text) }
        #expect {
            _ = try service(RouterSettings.CertificateFiles(chain: chain, key: folder.file("key.pem")))
        } throws: {
            ($0 as? RouterProblem)?.description.hasPrefix("\(chain) holds no certificate") == true
        }
    }

    @Test("A key that is not there, or is none, is an error that names its file", arguments: [nil, "rubbish"])
    func badKey(_ text: String?) async throws {
        let authority = try CertificateAuthority(folder: folder.file("elsewhere"), now: .now)
        let chain = try authority.serverFiles(names: ["localhost"], now: .now).chain
        let key = folder.file("key.pem")
        if let text { try folder.write("key.pem", text) }
        await #expect {
            try await service(RouterSettings.CertificateFiles(chain: chain, key: key)).run()
        } throws: {
            ($0 as? any ExplainedError)?.description.contains(key) == true
        }
    }
}
