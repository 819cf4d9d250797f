import Foundation
import Synchronization
import TestSupport

/// A router, a device and a person, each with files of its own, in a folder that is gone afterwards.
///
/// Nothing runs until a test starts it. What a test has started is killed at its end, however it ends.
final class Household: Sendable {
    /// The password of the one account.
    static let password = "correct horse"
    /// The security code of the one account.
    static let code = "123456"
    /// The name of the one account.
    static let user = "anna"

    /// Where the programs are.
    static let programs = Built.folder

    let folder: TemporaryDirectory
    private let state = Mutex((programs: [Program](), url: ""))

    private init() throws {
        folder = try TemporaryDirectory()
    }

    /// Opens a household, and closes it after a test.
    static func open(_ test: (Household) async throws -> Void) async throws {
        let house = try Household()
        do {
            try await test(house)
        } catch {
            await house.close()
            throw error
        }
        await house.close()
    }

    /// Ends everything; waits also in a test that is itself at its end.
    private func close() async {
        let programs = state.withLock(\.programs)
        for program in programs { program.signal(SIGKILL) }
        await Task { for program in programs { _ = try? await program.end() } }.value  // safe: killed processes end
    }

    // MARK: Programs

    /// The environment of every program.
    var environment: [String: String] {
        var environment = ProcessInfo.processInfo.environment
        environment["PATH"] = "\(Self.programs):\(environment["PATH"] ?? "/usr/bin:/bin")"
        environment["HOME"] = folder.path
        environment["M2M_SESSION"] = session
        environment["M2M_SOCKET"] = socket
        environment["SWIFT_BACKTRACE"] = "enable=no"  // a crash has to end, not to be explained
        return environment
    }

    /// What a program's environment has beside the other, so that its wall clock is ahead by what the file `wall-shift` says.
    func shiftedWallClock() throws -> [String: String] {
        let libraries = try [environment["LD_PRELOAD"], Made.wallClock.path].compactMap(\.self)
        return ["LD_PRELOAD": libraries.joined(separator: ":"), "M2M_WALL_SHIFT": folder.file("wall-shift")]
    }

    /// Starts a program: one of ours by its name, any other by its path.
    ///
    /// - Parameters:
    ///   - program: The program.
    ///   - arguments: Its arguments.
    ///   - input: Its whole standard input, a line each.
    ///   - variables: What its environment has beside that of all programs.
    /// - Throws: ``HarnessError`` when it can't be started.
    /// - Returns: The program.
    func start(
        _ program: String, _ arguments: [String], input: [String] = [], variables: [String: String] = [:]
    ) throws -> Program {
        let path = program.hasPrefix("/") ? program : Self.programs + program
        let environment = environment.merging(variables) { $1 }
        let program = try Program(path, arguments, environment: environment, input: input, folder: folder)
        state.withLock { $0.programs.append(program) }
        return program
    }

    /// Runs a program to its end.
    func run(
        _ program: String, _ arguments: [String], input: [String] = [], variables: [String: String] = [:]
    ) async throws -> Outcome {
        try await start(program, arguments, input: input, variables: variables).outcome()
    }

    /// Runs `m2m` to its end.
    func m2m(_ arguments: String..., input: [String] = []) async throws -> Outcome {
        try await run("m2m", arguments, input: input)
    }

    /// Repeats `m2m` until its output is as it should be.
    ///
    /// Each try costs as much as a process: that is the pause between them.
    func m2m(
        _ arguments: String..., until isDone: ([String]) throws -> Bool
    ) async throws -> Outcome {
        let end = ContinuousClock.now + .seconds(patience)
        while true {
            let outcome = try await run("m2m", arguments)
            if try isDone(outcome.output) { return outcome }
            try Task.checkCancellation()
            guard ContinuousClock.now < end else { throw NotInTime(what: "other answer than \(outcome)") }
        }
    }

    // MARK: The router

    /// The router's folder.
    var routerData: String { folder.file("router") }
    /// The router's CA.
    var ca: String { "\(routerData)/tls/ca.pem" }
    /// Where the router listens; empty until it was started.
    var url: String { state.withLock(\.url) }

    /// Starts the router, and waits until it listens: the first time on a free port, later where it was before.
    ///
    /// - Parameters:
    ///   - arguments: What it is started with beside its folder and its address.
    ///   - variables: What its environment has beside that of all programs.
    /// - Throws: ``HarnessError`` when it does not come to that.
    /// - Returns: The router.
    @discardableResult
    func startRouter(_ arguments: [String] = [], variables: [String: String] = [:]) async throws -> Program {
        let listen = url.isEmpty ? "127.0.0.1:0" : String(url.dropFirst("wss://".count))
        let end = ContinuousClock.now + .seconds(patience)
        while true {
            let router = try start(
                "m2m-router", ["serve", "--data", routerData, "--listen", listen] + arguments, variables: variables)
            do {
                let line = try await router.output.next(with: "listens on wss://")
                let url = line.split(separator: " ").last.map(String.init) ?? ""
                state.withLock { $0.url = url }
                return router
            } catch {
                // While it was away, somebody's outgoing connection may have been given its port, for a moment.
                let isTaken = try await router.errors.end().joined().contains("another program listens there already")
                guard isTaken, ContinuousClock.now < end else { throw error }
            }
        }
    }

    /// Makes the account.
    func addUser() async throws {
        let arguments = ["user", "add", Self.user, "--data", routerData]
        try await done(run("m2m-router", arguments, input: [Self.password, Self.code]))
    }

    // MARK: The person

    /// The file with the person's session.
    var session: String { folder.file("session.json") }

    /// Tries to log in, with whatever is typed.
    func login(_ arguments: [String]? = nil, password: String = password, code: String = code) async throws -> Outcome {
        let all = ["login", url, "--user", Self.user] + (arguments ?? ["--ca", ca])
        return try await run("m2m", all, input: [password, code])
    }

    // MARK: The device

    /// The device's configuration.
    var configuration: String { folder.file("greenhouse/agent.toml") }
    /// The device's local socket.
    var socket: String { folder.file("greenhouse/agent.sock") }
    /// The device's state.
    var stateDirectory: String { folder.file("greenhouse/state") }

    /// Makes a claim code.
    func claim(_ device: String = "greenhouse") async throws -> String {
        let outcome = try await done(m2m("claim", device, "--json"))
        return try JSON(outcome.output.first ?? "")["code"].text
    }

    /// Enrols the device.
    func enroll() async throws {
        let code = try await claim()
        try await done(run("m2m-agent", ["enroll", "--config", configuration, "--claim", code]))
    }

    /// Starts the agent, and waits until programs on the device can reach it.
    func startAgent(variables: [String: String] = [:]) async throws -> Program {
        let agent = try start("m2m-agent", ["run", "--config", configuration], variables: variables)
        try await agent.errors.hold("local socket is open")
        return agent
    }

    /// A whole household: a router, a person who is logged in, an enrolled device that is connected.
    func settle(_ edits: [GreenhouseFile.Edit] = []) async throws -> (router: Program, agent: Program) {
        let router = try await moveIn()
        try writeDevice(edits)
        try await enroll()
        let agent = try start("m2m-agent", ["run", "--config", configuration])
        try await agent.errors.next(with: "connected to the router")
        return (router, agent)
    }

    /// Passes on what came of a program that has to have worked.
    @discardableResult
    func done(_ outcome: Outcome) throws -> Outcome {
        guard outcome.end == .exited(0) else { throw HarnessError(description: "\(outcome)") }
        return outcome
    }
}
