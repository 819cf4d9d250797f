import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// A switchboard with two accounts that have a device each, of one name.
struct MeetingPoint: Sendable {
    typealias Notices = Mailbox<Switchboard.Notice>

    let time = ManualTime()
    let board: Switchboard
    let ada = RouterStore.Owner(id: 1, name: "ada")
    let bob = RouterStore.Owner(id: 2, name: "bob")
    let adas: RouterStore.Device
    let bobs: RouterStore.Device

    init() {
        board = Switchboard(time: time)
        adas = RouterStore.Device(row: 10, owner: ada, name: "greenhouse", key: Sample.key(1))
        bobs = RouterStore.Device(row: 20, owner: bob, name: "greenhouse", key: Sample.key(2))
    }

    /// What a connection of a device has to hear its notices with.
    static func notices() -> Notices { Notices(bound: 64, policy: .refuseNewest) }

    /// Connects a device whose own clock says so many seconds.
    func connect(_ device: RouterStore.Device, clock: Int64 = 500) async -> Notices {
        let notices = Self.notices()
        await board.enter(device, notices: notices, clock: MonotonicTime(nanoseconds: clock * 1_000_000_000))
        return notices
    }

    /// Lets a device report something.
    func publish(
        _ items: [ObservationBatch.Item], gaps: [Gap] = [], of device: RouterStore.Device,
        _ description: DeviceDescription? = nil
    ) async {
        let new = items.map {
            let position = StreamPosition(stream: .telemetry, epoch: Sample.epoch, sequence: $0.sequence)
            return RecordedObservation(position: position, observation: $0.observation)
        }
        let ingested = RouterStore.Ingested(
            reception: Sample.reception(through: items.last?.sequence ?? 0), new: new, gaps: gaps)
        await board.publish(ingested, of: device, description)
    }

    /// Gives a command; its end comes in the mailbox.
    func call(
        _ id: CommandID = "c1", expiry: Duration = .seconds(10), device: Int64 = 10, owner: RouterStore.Owner? = nil,
        lease: Lease? = nil, deadline: MonotonicTime? = nil
    ) -> (end: Mailbox<CommandResult>, task: Task<Void, Never>) {
        let request = CallRequest(
            id: id, address: Address(device: "greenhouse", component: Sample.heater), action: "on",
            parameters: ["for": .number(3)], expiry: expiry, lease: lease, deadline: deadline)
        let end = Mailbox<CommandResult>(bound: 1, policy: .refuseNewest)
        let task = Task { [board, ada] in
            end.send(await board.call(request, device: device, owner: owner ?? ada, component: Sample.heater))
            return ()
        }
        return (end, task)
    }

    /// Asks for a renewal; its end comes in the mailbox.
    func renew(
        _ duration: Duration = .seconds(10), expiry: Duration = .seconds(3), device: Int64 = 10,
        owner: RouterStore.Owner? = nil, deadline: MonotonicTime? = nil
    ) -> (end: Mailbox<CommandOutcome>, task: Task<Void, Never>) {
        let request = LeaseRenewalRequest(
            address: Address(device: "greenhouse", component: Sample.heater), lease: "l1", duration: duration,
            expiry: expiry, deadline: deadline)
        let end = Mailbox<CommandOutcome>(bound: 1, policy: .refuseNewest)
        let task = Task { [board, ada] in
            end.send(await board.renew(request, device: device, owner: owner ?? ada, component: Sample.heater))
            return ()
        }
        return (end, task)
    }

    /// The renewal that a device is told next.
    static func renew(in notices: Notices) async throws -> Renew {
        guard case .renew(let renew) = await notices.next() else {
            throw HarnessError(description: "something else than a renewal came")
        }
        return renew
    }

    /// The command that a device is told next.
    static func call(in notices: Notices) async throws -> Call {
        guard case .call(let call) = await notices.next() else {
            throw HarnessError(description: "something else than a command came")
        }
        return call
    }
}
