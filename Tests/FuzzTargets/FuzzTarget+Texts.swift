import DeviceModel
import ConfigurationSchema
import DeviceManager
import HALSimulated
import TOMLFile
import Wire

extension FuzzTarget {
    /// What people write.
    static let texts = [claimCode, releaseManifest, toml]

    private static let claimCode = FuzzTarget(
        "claim-code", types: ["ClaimCode"]
    ) { (bytes) throws(BrokenPromise) in
        let text = String(decoding: bytes, as: UTF8.self)
        guard let code = ClaimCode(text) else { return .refused("no claim code") }
        guard ClaimCode(code.description) == code else { throw BrokenPromise("'\(code)' is not the code in '\(text)'") }
        guard code.secret.utf8.count == 13, code.description.utf8.count == 41 else {
            throw BrokenPromise("'\(code)' is too short or too long")
        }
        return .read
    }

    /// What somebody says that a release changes.
    private static let releaseManifest = FuzzTarget("release-manifest") { (bytes) throws(BrokenPromise) in
        let text = String(decoding: bytes, as: UTF8.self)
        guard let manifest = try? ReleaseManifest(text) else { return .refused("no manifest") }  // safe: it says why
        guard text.utf8.starts(with: manifest.signed) else {
            throw BrokenPromise("what is signed is not what was read")
        }
        let again = try? ReleaseManifest(manifest.text)  // safe: where it can't be read the promise is broken
        guard again == manifest else { throw BrokenPromise("written and read again it is another one") }
        return .read
    }

    /// A whole file: the parser, and what the agent and a simulated board make of the tree.
    private static let toml = FuzzTarget("toml") { (bytes) throws(BrokenPromise) in
        // What a file has to be before it is parsed: see TOMLFile.read.
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            return .refused("no text")
        }
        var findings = Findings(file: "f.toml")
        let table = TOMLFile.parse(text, &findings)
        let isTOML = findings.isEmpty
        var again = Findings(file: "f.toml")
        let same = TOMLFile.parse(text, &again)
        guard Node.Value.table(same).canonical == Node.Value.table(table).canonical, again.all == findings.all else {
            throw BrokenPromise("read once more it is another file")
        }
        var (agentFindings, scenarioFindings) = (findings, findings)
        let agent = AgentConfiguration.read(table, &agentFindings)
        let scenario = Scenario.read(table, &scenarioFindings)
        guard (agent != nil) == agentFindings.isEmpty, (scenario != nil) == scenarioFindings.isEmpty else {
            throw BrokenPromise("a configuration with mistakes, or none without one")
        }
        let lines = bytes.count { $0 == UInt8(ascii: "\n") } + 1
        for finding in agentFindings.all + scenarioFindings.all {
            guard (1...lines).contains(finding.position.line), finding.position.column >= 1 else {
                throw BrokenPromise("a mistake at \(finding.position) of \(lines) lines: \(finding.message)")
            }
        }
        if let agent { try tell(agent) }
        return isTOML ? .read : .refused(findings.lines.first ?? "")
    }

    /// What a file makes of a device, its router has to understand.
    private static func tell(_ agent: AgentConfiguration) throws(BrokenPromise) {
        let message = DescriptionMessage(agent.description(software: "m2m-agent"))
        do throws(WireError) {
            let again = try Envelope(decoding: Envelope(message).encoded).decode(DescriptionMessage.self)
            guard again == message else { throw WireError(.invalidValue, at: 0, "another description") }
        } catch {
            throw BrokenPromise("no router understands this device: \(error)")
        }
    }
}
