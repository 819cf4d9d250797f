import DeviceManager
import DeviceModel
import Doctor
import Glibc
import HALLinux
import HALSimulated
import Link
import NIOCore
import NIOPosix
import Transport

/// `m2m-agent doctor`, which `m2m doctor` runs: what is wrong with this device, why, and what cures it.
struct DoctorCommand {
    /// The configuration that was named; nil: that of the agent that runs, else the usual one.
    let configurationFile: String?
    let json: Bool

    func run() async throws -> ExitStatus {
        let time = try SystemTime()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let patient = await patient(on: group, time)
        let machine = LinuxMachine(time: time, group: group)
        let findings = await Examination(of: patient, on: machine).findings { findings in
            for finding in findings {
                if json { print(finding.json.text) } else { finding.lines.forEach { print($0) } }
            }
            fflush(nil)
        }
        if !json { print(findings.summary) }
        try await group.shutdownGracefully()
        return findings.exitStatus
    }

    /// The device as it presents itself.
    private func patient(on group: MultiThreadedEventLoopGroup, _ time: any TimeSource) async -> Patient {
        let file =
            configurationFile ?? RunningAgent(socket: RunningAgent.namedSocket ?? AgentConfiguration.Local.usualSocket)
            .configurationFile ?? AgentConfiguration.usualFile
        var patient = Patient(configurationFile: file, configuration: .missing)
        let loaded = load(file, &patient)
        // What was named on the command line says where its agent listens; else the environment does first.
        let configured = loaded?.agent.local.socket
        let socket =
            configurationFile == nil ? RunningAgent.namedSocket ?? configured : configured ?? RunningAgent.namedSocket
        let agent = RunningAgent(socket: socket ?? AgentConfiguration.Local.usualSocket)
        do {
            if let (answers, board) = try await agent.answers(on: group, time: time) {
                (patient.agent, patient.board) = (answers, board)
            }
        } catch {
            let code = (error as? any ExplainedError)?.code
            patient.silence =
                switch code {
                case .notPermitted: .refused(error.explanation)
                case .expired: .hung(error.explanation)
                default: .dead(error.explanation)
                }
            patient.board = await board(loaded, time)
        }
        return patient
    }

    private func load(_ file: String, _ patient: inout Patient) -> LoadedConfiguration? {
        guard access(file, F_OK) == 0 || errno != ENOENT else { return nil }
        guard access(file, R_OK) == 0 else {
            let isHidden = errno == EACCES
            patient.configuration =
                isHidden ? .unreadable : .wrong(["\(file) can't be read: \(errorText(errno))"])
            return nil
        }
        var status = stat()
        guard stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            patient.configuration = .wrong(["\(file) is no file but something else"])
            return nil
        }
        do throws(ConfigurationMistakes) {
            let loaded = try LoadedConfiguration.load(file)
            patient.configuration = .right(loaded.agent, identity(of: loaded.agent))
            return loaded
        } catch {
            patient.configuration = .wrong(error.description.split(separator: "\n").map(String.init))
            return nil
        }
    }

    private func identity(of agent: AgentConfiguration) -> Patient.Identity {
        guard let router = agent.router else { return Patient.Identity(hasKey: nil, trust: .system) }
        let access = RouterAccess(router, stateDirectory: agent.stateDirectory)
        let isHidden = faccessat(AT_FDCWD, agent.stateDirectory, X_OK, 0) != 0 && errno == EACCES
        var canKnowTrust = true
        if case .file(let path) = access.trust { canKnowTrust = Glibc.access(path, R_OK) == 0 || errno != EACCES }
        return Patient.Identity(
            hasKey: isHidden ? nil : SafeFile.exists(access.keyFile), trust: canKnowTrust ? access.trust : nil)
    }

    /// What can be seen of the board where no agent tells.
    private func board(_ loaded: LoadedConfiguration?, _ time: any TimeSource) async -> BoardInventory? {
        guard let loaded, loaded.agent.boardKind == .simulated else {
            return await LinuxBoard(stateDirectory: loaded?.agent.stateDirectory ?? "/", time: time).inventory()
        }
        return await SimulatedBoard(scenario: loaded.scenario, time: time).inventory()
    }
}
