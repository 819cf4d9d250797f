import ConfigurationSchema
import DeviceManager
import DeviceModel
import HALSimulated
import Link
import Logging
import NIOPosix
import Store
import TOMLFile
import Wire

/// A device in this process that is nothing but its link.
struct BareDevice {
    /// Its name.
    let id: DeviceID
    /// What is linked.
    let manager: DeviceManager
    /// What links it.
    let link: LinkService
    private let access: RouterAccess
    private let time: any TimeSource

    /// A device.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - url: Where its router is.
    ///   - authority: The file with the router's CA.
    ///   - folder: Where its key is.
    ///   - store: Where its store is.
    ///   - time: Its clock.
    /// - Throws: ``BenchError`` for a name or an address that can't be one.
    init(_ name: String, url: String, authority: String, folder: String, store: String, time: any TimeSource) throws {
        let text = """
            [device]
            id = "\(name)"
            state_directory = "\(folder)"
            [router]
            url = "\(url)"
            ca_file = "\(authority)"
            """
        var findings = Findings(file: "bench")
        guard let configuration = AgentConfiguration.read(TOMLFile.parse(text, &findings), &findings),
            let router = configuration.router, let id = DeviceID(rawValue: name)
        else { throw BenchError(description: findings.lines.joined(separator: "\n")) }
        let bounds = Store.Bounds(size: 1 << 20, age: .seconds(86_400), hasRouter: true)
        let outbox = try Store(path: store, bounds: bounds, time: time)
        let silent = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let world = DeviceManager.Surroundings(
            board: SimulatedBoard(time: time), outbox: outbox, log: outbox, time: time, logger: silent)
        (self.id, self.time) = (id, time)
        manager = DeviceManager(configuration, software: "bench", in: world)
        access = RouterAccess(router, stateDirectory: folder)
        link = LinkService(manager, access: access, group: .singletonMultiThreadedEventLoopGroup, logger: silent)
    }

    /// Enrols it.
    ///
    /// - Parameter code: A claim code for it.
    /// - Throws: Whatever was in the way.
    func enroll(_ code: ClaimCode) async throws {
        let enrolment = Enrolment(
            device: id, access: access, time: time, group: .singletonMultiThreadedEventLoopGroup, software: "bench")
        _ = try await enrolment.run(.claim(code)) { _ in }
    }
}
