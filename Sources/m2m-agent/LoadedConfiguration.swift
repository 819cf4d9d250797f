import ConfigurationSchema
import DeviceManager
import DeviceModel
import Glibc
import HALSimulated
import TOMLFile

/// The configuration file, and the scenario that it names.
struct LoadedConfiguration {
    let agent: AgentConfiguration
    let scenario: Scenario
    /// The configuration's own file.
    let path: String

    /// What is watched where the configuration names no files and the owner wants some to be: this program, the keeper
    /// beside it, and the configuration.
    var ownFiles: AgentConfiguration.Integrity {
        var buffer = [UInt8](repeating: 0, count: FilePath.limit)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let program = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        let keeper = String(program.prefix(through: program.lastIndex(of: "/") ?? program.startIndex)) + "m2m-keeper"
        let own =
            path.hasPrefix("/") ? path : String(decoding: FilePath.current.appending(path.utf8).bytes, as: UTF8.self)
        return AgentConfiguration.Integrity(
            paths: [program, SafeFile.exists(keeper) ? keeper : program, own], response: .alert)
    }

    /// Reads and checks a configuration.
    ///
    /// - Parameter path: The file.
    /// - Returns: The configuration.
    /// - Throws: ``ConfigurationMistakes`` with every mistake that there is.
    static func load(_ path: String) throws(ConfigurationMistakes) -> LoadedConfiguration {
        var findings = Findings(file: path)
        let agent: AgentConfiguration?
        do throws(TOMLFileError) {
            agent = AgentConfiguration.read(try TOMLFile.read(path, &findings), &findings)
        } catch {
            throw ConfigurationMistakes(
                findings: [], sentence: "\(error); --config names another file")
        }
        guard let agent, findings.isEmpty else { throw ConfigurationMistakes(file: path, findings) }
        return LoadedConfiguration(agent: agent, scenario: try scenario(of: agent, path), path: path)
    }

    private static func scenario(
        of agent: AgentConfiguration, _ path: String
    ) throws(ConfigurationMistakes) -> Scenario {
        guard agent.boardKind == .simulated, let file = agent.scenario else { return .standard }
        var findings = Findings(file: file)
        let scenario: Scenario?
        do throws(TOMLFileError) {
            scenario = Scenario.read(try TOMLFile.read(file, &findings), &findings)
        } catch {
            findings = Findings(file: path)
            findings.add(at: agent.scenarioPosition, "'scenario' names a file that can't be read: \(error)")
            throw ConfigurationMistakes(file: path, findings)
        }
        guard let scenario, findings.isEmpty else { throw ConfigurationMistakes(file: file, findings) }
        return scenario
    }
}

/// What is wrong with a configuration.
struct ConfigurationMistakes: ExplainedError {
    /// Each mistake, with the file in which it is.
    let findings: [(file: String, finding: Findings.Finding)]
    private let sentence: String

    init(file: String, _ findings: Findings) {
        self.findings = findings.all.map { (file, $0) }
        sentence = findings.lines.joined(separator: "\n")
    }

    init(findings: [(file: String, finding: Findings.Finding)], sentence: String) {
        self.findings = findings
        self.sentence = sentence
    }

    var code: ErrorCode { .badRequest }
    var resource: String { findings.first?.file ?? "" }
    /// The mistakes, a line each.
    var description: String { sentence }
}
