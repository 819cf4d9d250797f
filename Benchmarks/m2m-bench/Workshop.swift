import Client
import DeviceModel
import Foundation
import Wire

/// A router with an account and an enrolled device in a folder of its own; the programs are those of a folder.
final class Workshop {
    private let programs: URL
    private let folder: URL
    /// Where the router listens.
    let address = "127.0.0.1:\(Int.random(in: 20_000...30_000))"
    private var running: [Process] = []
    private var router: Process?

    /// Starts a router, logs in and enrols a device.
    ///
    /// - Parameter programs: The folder with `m2m`, `m2m-agent` and `m2m-router`.
    /// - Throws: Whatever was in the way.
    init(programs: String) throws {
        self.programs = URL(fileURLWithPath: programs)
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "m2m-bench-\(UInt32.random(in: 0...(.max)))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        setenv("M2M_SESSION", path("session.json"), 1)
        setenv("M2M_SOCKET", path("agent.sock"), 1)
        try Data(configuration.utf8).write(to: folder.appendingPathComponent("agent.toml"))
        router = try start("m2m-router", ["serve", "--data", path("router"), "--listen", address])
        let secrets = "correct horse battery\n123456\n"
        try waitForRouter()
        _ = try output("m2m-router", ["user", "add", "bench", "--data", path("router")], input: secrets)
        let login = ["login", "wss://\(address)", "--user", "bench", "--ca", path("router/tls/ca.pem")]
        _ = try output("m2m", login, input: secrets)
        let ticket = try output("m2m", ["claim", "bench", "--json"])
        guard let object = try JSONSerialization.jsonObject(with: Data(ticket.utf8)) as? [String: Any],
            let code = object["code"] as? String
        else { throw BenchError(description: "no claim code: \(ticket)") }
        _ = try output("m2m-agent", ["enroll", "--config", path("agent.toml"), "--claim", code])
    }

    /// A device with three components that have little to do: what is measured is the agent, not its sensors.
    private var configuration: String {
        """
        [device]
        id = "bench"
        state_directory = "state"
        [router]
        url = "wss://\(address)"
        backlog_rate = 1000000
        [local]
        socket = "agent.sock"
        [board]
        kind = "simulated"
        [log]
        level = "warning"
        [components.climate]
        model = "bmp280"
        interval = "60s"
        [components.switch]
        model = "button"
        line = "GPIO17"
        [components.heater]
        model = "relay"
        line = "GPIO5"
        safe = "off"
        on_link_lost = { after = "30s", do = "safe" }
        """
    }

    /// Writes a configuration of the enrolled device that is otherwise in something.
    ///
    /// - Parameters:
    ///   - name: Of its file.
    ///   - change: What is otherwise.
    /// - Returns: Where it is.
    /// - Throws: What keeps it from being written.
    func configuration(_ name: String, _ change: (String) -> String) throws -> String {
        try write(name, change(configuration))
    }

    /// Makes a folder.
    ///
    /// - Returns: Where it is.
    func folder(_ name: String) throws -> String {
        try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
        return path(name)
    }

    /// Writes a file.
    ///
    /// - Returns: Where it is.
    func write(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: folder.appendingPathComponent(name))
        return path(name)
    }

    /// Starts the agent.
    ///
    /// - Parameters:
    ///   - configuration: Its configuration; nil: that of the enrolled device.
    ///   - errors: Takes what it logs; nil: this process's standard error.
    /// - Returns: Its process.
    /// - Throws: ``BenchError`` where it can't be started.
    func startAgent(_ configuration: String? = nil, errors: Pipe? = nil) throws -> Process {
        try start("m2m-agent", ["run", "--config", configuration ?? path("agent.toml")], errors: errors)
    }

    /// Connects a person to the router.
    func person() async throws -> ClientConnection {
        guard let session = try StoredSession.load() else { throw BenchError(description: "no session") }
        return try await RouterLogin.resume(session) { "123456" }
    }

    /// Ends a process in order, and waits for its end.
    func stop(_ process: Process) {
        process.terminate()
        process.waitUntilExit()
        running.removeAll { $0 === process }
    }

    /// Ends a process as a power cut does.
    func kill(_ process: Process) {
        Glibc.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        running.removeAll { $0 === process }
    }

    /// Ends everything, and removes the folder.
    func close() throws {
        for process in running.reversed() { stop(process) }
        try FileManager.default.removeItem(at: folder)
    }

    /// Ends the router as a power cut does, or starts it again where it was ended.
    func bounceRouter() throws {
        if let router, router.isRunning {
            kill(router)
        } else {
            router = try start("m2m-router", ["serve", "--data", path("router"), "--listen", address])
        }
    }

    /// What the kernel says of the router.
    var routerFigures: ProcessFigures { ProcessFigures(id: router?.processIdentifier ?? 0) }

    /// Where a file of the workshop is.
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - program: Its name, among the programs that are measured; or its path.
    ///   - arguments: What it is told.
    ///   - variables: What its environment has beside this process's.
    ///   - errors: Takes what it logs; nil: this process's standard error.
    /// - Returns: Its process.
    /// - Throws: What keeps it from being started.
    func start(
        _ program: String, _ arguments: [String], variables: [String: String] = [:], errors: Pipe? = nil
    ) throws -> Process {
        let process = Process()
        process.executableURL =
            program.contains("/") ? URL(fileURLWithPath: program) : programs.appendingPathComponent(program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(variables) { $1 }
        process.standardOutput = FileHandle.nullDevice
        if let errors { process.standardError = errors }
        try process.run()
        running.append(process)
        return process
    }

    /// What a program says that runs to its end.
    func output(_ program: String, _ arguments: [String], input: String = "") throws -> String {
        let process = Process()
        let (stdin, stdout) = (Pipe(), Pipe())
        process.executableURL = programs.appendingPathComponent(program)
        process.arguments = arguments
        (process.standardInput, process.standardOutput) = (stdin, stdout)
        try process.run()
        try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        let data = try stdout.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchError(description: "\(program) \(arguments.joined(separator: " ")) failed")
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// The router is there when its CA's certificate is.
    private func waitForRouter() throws {
        let end = Date() + 30
        while !FileManager.default.fileExists(atPath: path("router/tls/server.pem")) {
            guard Date() < end else { throw BenchError(description: "the router does not start at \(address)") }
            Thread.sleep(forTimeInterval: 0.05)
        }
        Thread.sleep(forTimeInterval: 0.5)
    }
}
