import Client
import DeviceModel
import Link
import Logging
import NIOCore
import NIOPosix
import Router
import ServiceLifecycle
import TestSupport
import Wire

@testable import DeviceManager
@testable import m2m_agent

/// A router, a simulated greenhouse and a person, in one process, over TLS on loopback.
final class WholeHouse: Sendable {
    let folder: TemporaryDirectory
    private let group = MultiThreadedEventLoopGroup.singleton
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static let password = "correct horse battery"
    static let code = "123456"

    init() throws {
        folder = try TemporaryDirectory()
    }

    var socket: String { folder.file("agent.sock") }
    private var configuration: String { folder.file("agent.toml") }

    /// Runs a router while something happens.
    ///
    /// - Parameters:
    ///   - port: Where it listens; by default a port that the system gives to nobody by itself, so that a router which
    ///     comes back finds it free.
    ///   - time: Its clocks; nil: the real ones.
    ///   - body: What happens, with the router's address.
    /// - Returns: What came of it.
    /// - Throws: What was in the way.
    func withRouter<Result: Sendable>(
        port: Int = Int.random(in: 20_000...30_000), time: (any TimeSource)? = nil,
        _ body: @escaping @Sendable (RouterAddress) async throws -> Result
    ) async throws -> Result {
        let settings = RouterSettings(
            address: RouterAddress(host: "127.0.0.1", port: port), dataDirectory: folder.file("router"))
        let end = ContinuousClock.now + .seconds(30)
        while true {
            let listening = Mailbox<Int>(bound: 1, policy: .dropOldest)
            let router = try RouterService(settings, time: time ?? SystemTime(), logger: logger) { listening.send($0) }
            do {
                return try await running([router]) {
                    guard let port = await listening.next() else { throw HarnessError(description: "no router") }
                    return try await body(RouterAddress(host: "127.0.0.1", port: port))
                }
            } catch  where "\(error)".contains("another program listens there") && ContinuousClock.now < end {
                // A program that was just being started elsewhere may have its socket for a moment longer.
            }
        }
    }

    /// Makes an account, and logs in.
    func logIn(_ address: RouterAddress) async throws -> StoredSession {
        let administration = try RouterAdministration(
            dataDirectory: folder.file("router"), time: try SystemTime())
        try await administration.addAccount("anna", password: Self.password, code: Self.code)
        let ca = try SafeFile.read(folder.file("router/tls/ca.pem")) ?? []
        return try await RouterLogin.login(
            to: address, user: "anna", ca: String(decoding: ca, as: UTF8.self), password: Self.password
        ) { Self.code }
    }

    /// Connects a person.
    func person(_ session: StoredSession) async throws -> ClientConnection {
        try await RouterLogin.resume(session) { Self.code }
    }

    /// Writes the device's configuration, and enrols it with a claim code of the person's.
    func enrol(_ address: RouterAddress, _ session: StoredSession) async throws {
        let text = try Fixture.text("greenhouse/agent.toml").replacing("wss://127.0.0.1:8443", with: "\(address)")
        try SafeFile.write(text.utf8, to: configuration)
        let scenario = try Fixture.text("greenhouse/greenhouse.scenario.toml")
        try SafeFile.write(scenario.utf8, to: folder.file("greenhouse.scenario.toml"))

        var person = try await person(session)
        guard case .ticket(let ticket)? = try await person.ask(.claim("greenhouse")).first,
            let claim = ClaimCode(ticket.code)
        else { throw HarnessError(description: "no claim code") }
        await person.close()
        let agent = try LoadedConfiguration.load(configuration).agent
        guard let router = agent.router else { throw HarnessError(description: "no router in the configuration") }
        try SafeFile.makeFolder(agent.stateDirectory)
        let enrolment = Enrolment(
            device: agent.id, access: RouterAccess(router, stateDirectory: agent.stateDirectory),
            time: try SystemTime(), group: group, software: "test")
        _ = try await enrolment.run(.claim(claim)) { _ in }
    }

    /// Runs the agent, as its program does, while something happens.
    func withAgent<Result: Sendable>(
        time: (any TimeSource)? = nil, _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let loaded = try LoadedConfiguration.load(configuration)
        let state = try StateDirectory(
            loaded.agent.stateDirectory, of: .init("agent", setting: "device.state_directory"))
        let wiring = try Wiring(
            loaded, folder: state,
            supervisor: SystemdSupervisor(now: { MonotonicTime(nanoseconds: 0) }) { _ in nil },
            time: time ?? SystemTime(), group: group, logger: logger)
        return try await running(wiring.services, body)
    }

    /// Runs services while something happens, and stops them in order after it.
    private func running<Result: Sendable>(
        _ services: [any Service], _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let serviceGroup = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: services.map { .init(service: $0) }, logger: logger))
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                try await serviceGroup.run()
                return nil
            }
            group.addTask { try await body() }
            while let result = try await group.next() {
                guard let result else { continue }
                await serviceGroup.triggerGracefulShutdown()
                try await group.waitForAll()
                return result
            }
            throw HarnessError(description: "the services ended before the test")
        }
    }
}
