import Crypto
import DeviceManager
import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Transport
import Wire

@testable import Link

/// Over a real connection: observations arrive once each, commands are done at most once, and every end has its reason.
@Suite(.timeLimit(.minutes(1))) struct LinkConnectionTests {
    private let device: LinkedDevice

    init() throws {
        device = try LinkedDevice(TemporaryDirectory())
    }

    private func call(_ id: String, _ action: String = "on", within duration: Duration = .seconds(10)) -> Call {
        Call(
            id: CommandID(stringLiteral: id), component: "heater", action: action,
            deadline: device.clock.now + duration)
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

    @Test("What the router has is not sent again after a break; what it did not acknowledge is") func resumes()
        async throws
    {
        let device = device
        try await device.run { () async throws in
            var acknowledged: ObservationBatch?
            var lost: ObservationBatch?
            _ = try await device.session { router in
                try await router.welcome()
                while acknowledged == nil || lost == nil {
                    let batch = try await router.next(ObservationBatch.self)
                    if batch.stream == .telemetry, acknowledged == nil {
                        try await router.acknowledge(batch)
                        acknowledged = batch
                        try device.press()
                    } else if batch.stream == .events, lost == nil {
                        lost = batch
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

    // MARK: Down

    @Test("A command is done, and its result goes up") func commandIsDone() async throws {
        let device = device
        try await device.run { () async throws in
            _ = try await device.session { router in
                try await router.welcome()
                try await router.say(call("1"))
                let result = try await router.result()
                #expect(result.id == "1")
                #expect(result.status == .done)
                #expect(try device.isHeating)
            }
        }
    }

    @Test("A command that comes too late by the device's own clock is not done") func tooLate() async throws {
        let device = device
        try await device.run { () async throws in
            _ = try await device.session { router in
                try await router.welcome()
                for (id, expiry) in [("1", Duration.zero), ("2", .seconds(-1)), ("3", .seconds(-1_000_000))] {
                    try await router.say(call(id, within: expiry))
                    let result = try await router.result()
                    #expect(result.id.rawValue == id)
                    #expect(result.status == .expired)
                }
                #expect(try !device.isHeating)
                #expect(try device.switches == 0)
            }
        }
    }

    @Test("A command that comes twice is done once, also over two links") func onceOnly() async throws {
        let device = device
        try await device.run { () async throws in
            for expected in [[CommandStatus.done, .refused], [.refused, .refused]] {
                _ = try await device.session { router in
                    try await router.welcome()
                    for status in expected {
                        try await router.say(call("same", "toggle"))
                        #expect(try await router.result().status == status)
                    }
                }
            }
            #expect(try device.switches == 1)
            #expect(try device.isHeating)
        }
    }

    @Test("The result of a command whose link broke goes up on the next one") func resultSurvives() async throws {
        let device = device
        try await device.run { () async throws in
            _ = try await device.session { router in
                try await router.welcome()
                try await device.stored {
                    if case .result = $0 { true } else { false }
                } after: {
                    try await router.say(call("1"))
                }
            }
            _ = try await device.session { router in
                try await router.welcome()
                let result = try await router.result()
                #expect(result.id == "1")
                #expect(result.status == .done)
            }
            #expect(try device.switches == 1)
        }
    }

    @Test("What the device can't do is refused with the reason, not ignored") func refused() async throws {
        let device = device
        try await device.run { () async throws in
            _ = try await device.session { router in
                try await router.welcome()
                try await router.say(call("1", "explode"))
                let result = try await router.result()
                #expect(result.status == .refused)
                #expect(result.reason?.contains("has no action 'explode'") == true)
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
                try await router.say(call("1"))
                #expect(try await router.result().status == .done)
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
