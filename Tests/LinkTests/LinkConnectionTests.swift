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

    @Test("What was observed before the link was there goes up, and what happens meanwhile, each once and in its order")
    func backlogThenLive() async throws {
        let device = device
        try await device.run { () async throws in
            try await Self.pressAndStore(device)
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
        _ = try await device.manager.outbox.append([Observation](repeating: old, count: 2_000), lost: [])
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
            var receptions: [StreamReception] = []
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
                receptions = router.receptions
            }
            let (had, missed) = (try #require(acknowledged), try #require(lost))
            _ = try await device.session { router in
                try await router.welcome(streams: receptions)
                var again = false
                while !again {
                    let batch = try await router.next(ObservationBatch.self)
                    #expect(batch.gaps.isEmpty)
                    if batch.stream == .telemetry {
                        #expect(Set(batch.items.map(\.sequence)).isDisjoint(with: had.items.map(\.sequence)))
                    } else if batch.items.first?.sequence == missed.items.first?.sequence {
                        #expect(batch.items.prefix(missed.items.count) == missed.items[...])
                        again = true
                    }
                }
            }
        }
    }

    @Test(
        "Where the router has more than the device, an older store was restored: new numbers begin, behind the old ones"
    )
    func newEpoch() async throws {
        let folder = try TemporaryDirectory()
        let first = try await Self.press(LinkedDevice(folder), streams: [], releases: 1)
        let old = try #require(first.first?.epoch)
        let ahead = StreamReception(stream: .events, epoch: old, received: SequenceRanges(through: 1_000))
        let batches = try await Self.press(LinkedDevice(folder), streams: [ahead], releases: 2)
        #expect(batches.first?.epoch == old)
        let new = batches.filter { $0.epoch != old }
        let events = new.flatMap(\.items).compactMap(\.observation.content.event)
        #expect(events.prefix(2) == ["pressed", "released"])
        #expect(new.flatMap(\.gaps).map(\.numbers) == [1...1])
        #expect(new.flatMap(\.items).map(\.sequence) == Array(2...UInt64(events.count + 1)))
        #expect(new.flatMap(\.gaps).map(\.reason) == [.storeReplaced])
    }

    /// Presses the button of a device, and waits until all of that is on its disk.
    private static func pressAndStore(_ device: LinkedDevice) async throws {
        try await device.stored {
            $0.event == "released"
        } after: {
            try device.press()
        }
    }

    /// Presses the button of a device while there is no link, and gives what goes up of its events then, until it was
    /// released so often.
    private static func press(
        _ device: LinkedDevice, streams: [StreamReception], releases: Int
    ) async throws -> [ObservationBatch] {
        let found = Mailbox<[ObservationBatch]>(bound: 1, policy: .refuseNewest)
        try await device.run { () async throws in
            try await Self.pressAndStore(device)
            _ = try await device.session { router in
                try await router.welcome(streams: streams)
                var batches: [ObservationBatch] = []
                while batches.flatMap(\.items).count(where: { $0.observation.content.event == "released" }) < releases {
                    let batch = try await router.next(ObservationBatch.self)
                    if batch.stream == .events { batches.append(batch) }
                }
                found.send(batches)
            }
        }
        return try #require(await found.next())
    }

    @Test("A number that the router knows for something else goes up again under another one, and so does what follows")
    func renumbered() async throws {
        let device = device
        try await device.run { () async throws in
            var first: ObservationBatch?
            let end = try await device.session { router in
                try await router.welcome()
                try device.press()
                while first == nil {
                    let batch = try await router.next(ObservationBatch.self)
                    if batch.stream == .events { first = batch }
                }
                let number = first?.items.first.map { $0.sequence } ?? 0
                let position = StreamPosition(stream: .events, epoch: first?.epoch ?? 0, sequence: number)
                let failure = Failure(.conflict, "number \(number) is something else", position: position)
                try await router.say(failure.envelope(.observations))
                while try await !router.isClosed() {}
            }
            #expect((end as? LinkProblem)?.code == .conflict)
            let before = try #require(first)
            _ = try await device.session { router in
                try await router.welcome()
                var batch = before
                repeat {
                    batch = try await router.next(ObservationBatch.self)
                } while batch.items.first?.observation != before.items.first?.observation
                #expect(batch.epoch != before.epoch)
                #expect(batch.gaps.map(\.numbers) == [1...1])
                #expect(batch.items.first?.sequence == 2)
            }
        }
    }

    @Test("What the router can't read is found, and named; everything else arrives")
    func unreadable() async throws {
        let device = device
        let readings = (1...40).map { number in
            let reading = Reading(component: "heater", property: "on", value: .boolean(number.isMultiple(of: 2)))
            return Observation(time: device.manager.time.timestamp, content: .reading(reading))
        }
        let stored = try await device.manager.outbox.append(readings, lost: [])
        let culprit = stored[16].position.sequence
        let others = Set(stored.map(\.position.sequence)).subtracting([culprit])
        try await device.run { () async throws in
            var (arrived, named) = (Set<UInt64>(), [Gap]())
            var known: [StreamReception] = []
            while named.isEmpty || !arrived.isSuperset(of: others) {
                _ = try await device.session { router in
                    try await router.welcome(streams: known)
                    var isRefused = false
                    while !isRefused, named.isEmpty || !arrived.isSuperset(of: others) {
                        let envelope = try await router.next()
                        let batch = try envelope.decode(ObservationBatch.self)
                        if batch.stream == .telemetry, batch.items.contains(where: { $0.sequence == culprit }) {
                            try await router.say(ControlError("what is that?", about: envelope))
                            isRefused = true
                            continue
                        }
                        try await router.acknowledge(batch)
                        if batch.stream == .telemetry { arrived.formUnion(batch.items.map(\.sequence)) }
                        named += batch.gaps.filter { $0.reason == .unreadable }
                    }
                    if isRefused { while try await !router.isClosed() {} }
                    known = router.receptions
                }
            }
            #expect(named.map(\.numbers) == [culprit...culprit])
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
