import DeviceManager
import DeviceModel
import Glibc
import Link
import NIOCore
import NIOPosix
import Wire

/// `m2m-agent enroll`: makes this device known to its router.
struct EnrollCommand {
    let configurationFile: String
    let claim: String?
    let account: String?

    func run() async throws -> ExitStatus {
        let agent = try LoadedConfiguration.load(configurationFile).agent
        guard let router = agent.router else {
            throw EnrolmentProblem("\(configurationFile) has no [router]: say there where it is, as url = \"wss://…\"")
        }
        let way = try self.way(agent.id, router)
        // The agent may never have run: its folder is made, but not taken from an agent that does run.
        try SafeFile.makeFolder(agent.stateDirectory)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let enrolment = Enrolment(
            device: agent.id, access: RouterAccess(router, stateDirectory: agent.stateDirectory),
            time: try SystemTime(), group: group, software: M2MAgent.software)
        let owner = try await enrolment.run(way) { fingerprint in
            print("This device's fingerprint is")
            print("    \(fingerprint)")
            print("It is let in when the owner accepts it: m2m accept \(agent.id)")
            print("Waiting; Ctrl-C gives up.")
            fflush(nil)
        }
        try await group.shutdownGracefully()
        print("\(agent.id) belongs to \(owner) now; `m2m-agent run` connects it")
        return .done
    }

    private func way(_ device: DeviceID, _ router: AgentConfiguration.Router) throws -> Enrolment.Way {
        if let claim { return .claim(try Self.code(claim)) }
        if let account = account ?? router.account { return .acceptance(account: account) }
        guard isatty(STDIN_FILENO) == 1 else {
            throw EnrolmentProblem(
                "give the code that `m2m claim \(device)` shows with --claim CODE, or the account with --account NAME")
        }
        let typed = ask("Claim code, as `m2m claim \(device)` shows it (empty: the owner will accept this device): ")
        if !typed.isEmpty { return .claim(try Self.code(typed)) }
        let name = ask("Account at \(router.address): ")
        guard !name.isEmpty else {
            throw EnrolmentProblem("without a code or an account nobody can let this device in")
        }
        return .acceptance(account: name)
    }

    private static func code(_ text: String) throws -> ClaimCode {
        guard let code = ClaimCode(text) else {
            throw EnrolmentProblem(
                "'\(text)' is no claim code: it has seven groups of five, and one of them is mistyped")
        }
        return code
    }

    private func ask(_ question: String) -> String {
        print(question, terminator: "")
        fflush(nil)
        let answer = readLine() ?? ""
        return String(answer.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}

/// Why an enrolment was not even tried.
struct EnrolmentProblem: ExplainedError {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    var code: ErrorCode { .badRequest }
    var resource: String { "" }
}
