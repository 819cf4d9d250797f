import Client
import DeviceModel
import Foundation
import Link
import Wire

/// Many devices in this process, enrolled at the router of a workshop.
final class Fleet {
    private let workshop: Workshop
    private let devices: [BareDevice]

    /// Enrols so many devices.
    ///
    /// - Parameters:
    ///   - count: How many.
    ///   - workshop: The router.
    /// - Throws: Whatever was in the way.
    init(_ count: Int, _ workshop: Workshop) async throws {
        self.workshop = workshop
        var person = try await workshop.person()
        var devices: [BareDevice] = []
        for number in 0..<count {
            let folder = try workshop.folder("fleet/\(number)")
            let device = try BareDevice(
                "fleet-\(number)", url: "wss://\(workshop.address)", authority: workshop.path("router/tls/ca.pem"),
                folder: folder, store: "\(folder)/store.db", time: try SystemTime())
            guard case .ticket(let ticket)? = try await person.ask(.claim(device.id)).first,
                let code = ClaimCode(ticket.code)
            else { throw BenchError(description: "no claim code for \(device.id)") }
            try await Self.patiently { try await device.enroll(code) }
            devices.append(device)
        }
        await person.close()
        self.devices = devices
    }

    /// What the router has in memory for each, once all are connected and quiet, in kB; the router is another one each
    /// time.
    func memoryOfEach() async throws -> Double {
        try workshop.bounceRouter()
        try workshop.bounceRouter()
        var person = try await Self.patiently { try await workshop.person() }
        try await Task.sleep(for: .seconds(5))
        let before = try workshop.routerFigures.resident
        try await withThrowingTaskGroup(of: Void.self) { group in
            for device in devices { group.addTask { await device.link.run() } }
            defer { group.cancelAll() }
            try await untilAllAreOnline(&person)
            try await Task.sleep(for: .seconds(30))
        }
        let after = try workshop.routerFigures.resident
        await person.close()
        return (after - before) * 1_000 / Double(devices.count)
    }

    private func untilAllAreOnline(_ person: inout ClientConnection) async throws {
        let end = ContinuousClock.now + .seconds(600)
        while true {
            let online = try await person.ask(.devices).count {
                if case .device(let device) = $0 { device.isOnline } else { false }
            }
            if online >= devices.count { return }
            guard ContinuousClock.now < end else {
                throw BenchError(description: "only \(online) of \(devices.count) devices are online after 600 s")
            }
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// A router lets so many in each second from one place; whoever is turned away comes again.
    private static func patiently<Result: ~Copyable>(_ body: () async throws -> Result) async throws -> Result {
        for _ in 0..<100 {
            do {
                return try await body()
            } catch let error as any ExplainedError where error.code == .unreachable || error.code == .busy {
                try await Task.sleep(for: .milliseconds(200))
            }
        }
        return try await body()
    }
}
