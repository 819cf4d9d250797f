import Crypto
import DeviceManager
import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Transport
import Wire

@testable import Link

/// Over a real connection observations arrive, none is lost by a break, and every end has its reason.
@Suite(.timeLimit(.minutes(1))) struct LinkConnectionTests {
    private let device: LinkedDevice

    init() throws {
        device = try LinkedDevice(TemporaryDirectory())
    }

    // MARK: Up

    @Test("The proof is signed with the device's own key, and another library accepts it") func proof() async throws {
        let key = try DeviceKey.create(device.folder.file("device.key"))
        _ = try await device.session(signing: key) { router in
            let prove = try await router.welcome()
            let statement = SignedStatement(
                purpose: .prove, nonce: RouterEnd.nonce, routerKeyHash: SessionUnderTest.routerKeyHash,
                boot: device.manager.time.boot, device: "greenhouse")
            let verifier = try Curve25519.Signing.PublicKey(rawRepresentation: prove.key)
            #expect(prove.key == key.publicKey)
            #expect(verifier.isValidSignature(prove.signature, for: statement.bytes))
            var another = statement
            another.purpose = .enroll
            #expect(!verifier.isValidSignature(prove.signature, for: another.bytes))
        }
    }

    @Test("What was observed before the link was there goes up, then what happens meanwhile, each once and in order")
    func backlogThenLive() async throws {
        let device = device
        try await device.run { () async throws in
            try await device.stored {
                $0.event == "released"
            } after: {
                try device.press()
            }
            _ = try await device.session { router in
                try await router.welcome()
                var numbers: [UInt64] = []
                var events: [String] = []
                while events.count(where: { $0 == "released" }) < 2 {
                    let batch = try await router.next(ObservationBatch.self)
                    try await router.acknowledge(batch)
                    guard batch.stream == .events else { continue }
                    if events.isEmpty { try device.press() }
                    numbers += batch.items.map(\.sequence)
                    events += batch.items.compactMap(\.observation.content.event)
                }
                #expect(numbers == Array(1...UInt64(numbers.count)))
                #expect(events.count(where: { $0 == "pressed" }) == 2)
            }
        }
    }

    @Test("What happens now does not wait behind a long backlog of readings") func besideTheBacklog() async throws {
        let device = device
        let reading = Reading(component: "heater", property: "on", value: .boolean(false))
        let old = Observation(time: device.manager.time.timestamp, content: .reading(reading))
        _ = try await device.manager.outbox.append([Observation](repeating: old, count: 2_000), lost: [:])
        try await device.run { () async throws in
            _ = try await device.session { router in
                try await router.welcome()
                try device.press()
                var events: [String] = []
                var readings = 0
                while !events.contains("pressed") {  // and nothing is acknowledged
                    let batch = try await router.next(ObservationBatch.self)
                    if batch.stream == .telemetry { readings += batch.items.count }
                    events += batch.items.compactMap(\.observation.content.event)
                }
                #expect(readings <= 400)
            }
        }
    }

    @Test("What the router has is not sent again after a break; what it did not acknowledge is") func resumes()
        async throws
    {
        let device = device
        try await device.run { () async throws in
            var acknowledged: ObservationBatch?
            var lost: ObservationBatch?
            _ = try await device.session { router in
                try await router.welcome()
                while lost == nil {
                    let envelope = try await router.next()
                    if envelope.kind == Heartbeat.kind {
                        try device.press()  // by now the device has heard of the acknowledgement
                        continue
                    }
                    let batch = try envelope.decode(ObservationBatch.self)
                    if batch.stream == .events {
                        lost = batch
                    } else if acknowledged == nil {
                        try await router.acknowledge(batch)
                        try await router.say(Heartbeat())
                        acknowledged = batch
                    }
                }
            }
            let (had, missed) = (try #require(acknowledged), try #require(lost))
            _ = try await device.session { router in
                try await router.welcome()
                var again = false
                while !again {
                    let batch = try await router.next(ObservationBatch.self)
                    if batch.stream == .telemetry {
                        #expect(batch.items.allSatisfy { $0.sequence > had.items.last?.sequence ?? 0 })
                    } else {
                        #expect(batch.items.prefix(missed.items.count) == missed.items[...])
                        again = true
                    }
                }
            }
        }
    }

    @Test("Where the router has more than the device, an older store was restored: new numbers begin") func newEpoch()
        async throws
    {
        let device = device
        try await device.run { () async throws in
            var first: ObservationBatch?
            _ = try await device.session { router in
                try await router.welcome()
                try device.press()
                while first == nil {
                    let batch = try await router.next(ObservationBatch.self)
                    if batch.stream == .events { first = batch }
                }
            }
            let before = try #require(first)
            let ahead = StreamPosition(stream: .events, epoch: before.epoch, sequence: 1_000)
            _ = try await device.session { router in
                try await router.welcome(streams: [ahead])
                var batch = before
                repeat {
                    batch = try await router.next(ObservationBatch.self)
                } while batch.stream != .events
                #expect(batch.epoch != before.epoch)
                #expect(batch.items.first?.sequence == 1)
                #expect(batch.items.first?.observation == before.items.first?.observation)
            }
        }
    }

    // MARK: The end

    @Test("Garbage is answered, and the link goes on") func garbage() async throws {
        let device = device
        try await device.run { () async throws in
            _ = try await device.session { router in
                try await router.welcome()
                try await router.channel.send([0xC1, 0xFF])
                try await router.say(Envelope(proto: .shell, type: "new", session: "s"))
                var errors: [ControlError] = []
                while errors.count < 2 {
                    let envelope = try await router.next()
                    if envelope.kind == ControlError.kind { errors.append(try envelope.decode(ControlError.self)) }
                }
                #expect(errors[0].error.contains("no message"))
                #expect(errors[1].messageType == "new")
                try device.press()
                let pressed = try await router.observed(\.event)
                #expect(pressed == "pressed")
            }
        }
    }

    @Test("A router that hangs up is told from one that refuses and one that is silent") func ends() async throws {
        let hungUp = try await device.session { router in try await router.welcome() }
        #expect((hungUp as? LinkProblem)?.description == "the router closed the connection")

        let refused = try await device.session { router in
            try await router.welcome()
            try await router.say(Failure(.conflict, "replaced", retryAfter: .seconds(30)).envelope(.deviceSession))
            while try await !router.isClosed() {}
        }
        #expect((refused as? LinkProblem)?.description == "the router says: replaced")
        #expect((refused as? LinkProblem)?.retryAfter == .seconds(30))

        let silent = try await device.session { router in
            try await router.welcome()
            device.clock.advance(by: .seconds(50))
            while try await !router.isClosed() {}
        }
        #expect((silent as? LinkProblem)?.description == "the router has been silent for too long")
    }

    @Test("A session that is cancelled closes its connection") func cancelled() async throws {
        _ = try await device.session { router in
            try await router.welcome()
            router.cancelDevice()
            while try await !router.isClosed() {}
        }
    }
}

extension Observation.Content {
    /// The name of an event.
    fileprivate var event: String? {
        if case .event(let event) = self { event.name } else { nil }
    }
}
