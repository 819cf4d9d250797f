import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: whatever a person asks, somebody else's device is answered like one that does not exist, with the same code
/// and the same words, and is not touched.
@Suite(.timeLimit(.minutes(1))) struct IsolationTests {
    private let bench: RouterBench

    init() throws {
        bench = try RouterBench()
    }

    /// Everything that can be asked about one device.
    enum Question: String, CaseIterable {
        case describe, describeComponent, read, readProperty, watch, history, historyOfProperty, call, renew, endLease
        case accept, acceptFingerprint

        func request(_ device: DeviceID, fingerprint: String) -> Request {
            let component = Address(device: device, component: Sample.climate)
            let property = Address(device: device, component: Sample.climate, property: "temperature")
            return switch self {
            case .describe: .describe(Address(device: device))
            case .describeComponent: .describe(component)
            case .read: .read(Address(device: device))
            case .readProperty: .read(property)
            case .watch: .watch(Address(device: device))
            case .history: .history(HistoryQuery(component))
            case .historyOfProperty: .history(HistoryQuery(property, limit: 1))
            case .call: .call(CallRequest(id: "c1", address: component, action: "on"))
            case .renew: .renew(LeaseRenewalRequest(address: component, lease: "l1", duration: .seconds(10)))
            case .endLease: .renew(LeaseRenewalRequest(address: component, lease: "l1", duration: .zero))
            case .accept: .accept(device, fingerprint: nil)
            case .acceptFingerprint: .accept(device, fingerprint: fingerprint)
            }
        }
    }

    @Test("Somebody else's device looks like none", arguments: Question.allCases)
    func looksLikeNone(_ question: Question) async throws {
        let ada = try await bench.addAccount("ada")
        let bob = try await bench.addAccount("bob")
        // Bob has a device that is there, described, full of readings, and a new key waits under its name.
        let cellar = try await bench.store.addDevice("cellar", of: bob, key: Sample.key(1))
        try await bench.store.describe(cellar, Sample.description("cellar"))
        _ = try await bench.store.ingest(Sample.batch(Sample.readings(1...3)), from: cellar)
        let notices = MeetingPoint.notices()
        await bench.core.switchboard.enter(cellar, notices: notices, clock: bench.time.now)
        try await bench.store.addPending(account: "bob", device: "cellar", key: Sample.key(2))
        let fingerprint = KeyFingerprint(digest: Digest.sha256(Sample.key(2))).description
        // Ada has one, too, so that her space is not empty.
        _ = try await bench.store.addDevice("greenhouse", of: ada, key: Sample.key(3))

        try await bench.person(ada) { talk in
            let foreign = await failure {
                _ = try await talk.ask(question.request("cellar", fingerprint: fingerprint))
            }
            let absent = await failure {
                _ = try await talk.ask(question.request("nowhere", fingerprint: fingerprint))
            }
            try #require(foreign != nil)
            #expect(foreign?.code == .notFound)
            #expect(foreign?.code == absent?.code)
            #expect(foreign?.message.split(separator: "'cellar'") == absent?.message.split(separator: "'nowhere'"))
            #expect(foreign?.retryAfter == absent?.retryAfter)
        }
        #expect(notices.count == 0)
        #expect(try await bench.store.pending(of: bob, named: "cellar").count == 1)
        // Its owner gets an answer to the same question.
        guard ![.watch, .call, .renew, .endLease].contains(question) else { return }
        try await bench.person(bob) { talk in
            let answer = try await talk.ask(question.request("cellar", fingerprint: fingerprint))
            #expect(!answer.isEmpty)
        }
    }

    @Test("Lists hold one's own devices only")
    func lists() async throws {
        let ada = try await bench.addAccount("ada")
        let bob = try await bench.addAccount("bob")
        for (owner, name, key) in [(ada, "greenhouse", 1), (bob, "cellar", 2)] as [(RouterStore.Owner, DeviceID, UInt8)]
        {
            let device = try await bench.store.addDevice(name, of: owner, key: Sample.key(key))
            try await bench.store.describe(device, Sample.description(name))
            _ = try await bench.store.ingest(Sample.batch(Sample.readings(1...3)), from: device)
        }
        for (owner, name) in [(ada, "greenhouse"), (bob, "cellar")] as [(RouterStore.Owner, DeviceID)] {
            try await bench.person(owner) { talk in
                for request in [Request.devices, .describe(Address()), .read(Address())] {
                    let names = try await talk.ask(request).map { item -> DeviceID? in
                        switch item {
                        case .device(let device): device.device
                        case .description(let description): description.id
                        case .observation(let report): report.device
                        default: nil
                        }
                    }
                    #expect(names == [name], "\(request)")
                }
            }
        }
    }

    @Test("A device of the same name in another space is another device")
    func sameName() async throws {
        let ada = try await bench.addAccount("ada")
        let bob = try await bench.addAccount("bob")
        for (owner, key) in [(ada, UInt8(1)), (bob, 2)] {
            let device = try await bench.store.addDevice("greenhouse", of: owner, key: Sample.key(key))
            try await bench.store.describe(device, Sample.description("greenhouse", label: owner.name))
            _ = try await bench.store.ingest(
                Sample.batch([Sample.reading(1, .text(owner.name))]), from: device)
        }
        for owner in [ada, bob] {
            try await bench.person(owner) { talk in
                let address = Address(device: "greenhouse", component: Sample.climate, property: "temperature")
                for request in [Request.read(address), .history(HistoryQuery(address))] {
                    guard case .observation(let report) = try await talk.ask(request).first,
                        case .reading(let reading) = report.content
                    else {
                        Issue.record("nothing came back")
                        return
                    }
                    #expect(reading.value == .text(owner.name))
                }
            }
        }
    }

    @Test("Nobody hears live of somebody else's device, also where they watch everything")
    func watch() async throws {
        let ada = try await bench.addAccount("ada")
        let bob = try await bench.addAccount("bob")
        let greenhouse = try await bench.store.addDevice("greenhouse", of: ada, key: Sample.key(1))
        let cellar = try await bench.store.addDevice("cellar", of: bob, key: Sample.key(2))
        try await bench.person(ada) { talk in
            try await talk.send(Request.watch(Address()).envelope(session: "1"))
            #expect(try await talk.next(Items.self).items.count == 1)
            for device in [cellar, greenhouse] {
                let ingested = try await bench.store.ingest(Sample.batch([Sample.reading(1)]), from: device)
                await bench.core.switchboard.publish(ingested, of: device, nil)
            }
            guard case .observation(let report) = try await talk.next(Items.self).items.first else {
                Issue.record("no observation came")
                return
            }
            #expect(report.device == "greenhouse")
        }
    }
}
