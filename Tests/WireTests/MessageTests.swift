import DeviceModel
import TestSupport
import Testing
import Wire

/// One of every message, with every field filled.
enum Samples {
    static let device: DeviceID = "greenhouse"
    static let climate: ComponentID = "climate"
    static let heater: ComponentID = "heater"
    static let command: CommandID = "c-1"
    static let boot: BootID = 7
    static let time = Timestamp(
        boot: boot, monotonic: MonotonicTime(nanoseconds: 5_000_000_000),
        wall: WallTime(nanoseconds: 1_795_248_000_123_000_000), isSynchronised: true)
    static let reading = Reading(component: climate, property: "temperature", value: .number(294.61))
    static let failed = Reading(
        component: climate, property: "pressure", value: nil, quality: .failed, reason: "nothing answers")
    static let event = Event(component: "switch", name: "pressed", detail: "by a finger")
    static let result = CommandResult(id: command, component: heater, action: "on", status: .refused, reason: "why")
    static let contents: [Observation.Content] = [
        .reading(reading), .reading(failed), .event(event), .result(result),
        .reading(Reading(component: climate, property: "on", value: .boolean(false))),
        .reading(Reading(component: climate, property: "n", value: .integer(0))),
        .reading(Reading(component: climate, property: "t", value: .text(""), quality: .stale)),
    ]
    static let description = DeviceDescription(
        id: device, label: "Gewächshaus", software: "m2m-agent 0.1.0",
        components: [
            ComponentDescription(
                id: heater, model: "relay", label: "Heizung",
                properties: [
                    PropertyDescription(
                        "temperature", "title", type: .number, quantity: .temperature, range: 200...300,
                        staleAfter: .seconds(6))
                ],
                actions: [
                    ActionDescription(
                        "pulse", "title",
                        parameters: [
                            ParameterDescription(
                                "duration", "title", type: .number, quantity: .duration, range: 0...10,
                                isRequired: false)
                        ])
                ], events: [EventDescription("pressed", "title")], limits: ["on for 30m at the most", "safe is off"])
        ])
    static let lease = Lease(id: "l-1", duration: .seconds(10), isRenewed: true)
    static let status = AgentStatus(
        device: device, software: "s", board: "b", uptime: .seconds(5),
        link: LinkStatus(router: "wss://r:443", state: .reconnecting, reason: "why", failedAttempts: 3),
        store: StoreStatus(kept: 1, bytes: 2, dropped: 3, problem: "full"),
        components: [ComponentStatus(id: climate, model: "bmp280", problem: "gone", failures: 2)], notes: ["n"])
    static let inventory = BoardInventory(
        board: "Pi",
        chips: [
            .init(
                name: "gpiochip0", label: "pinctrl",
                lines: [.init(offset: 17, name: "GPIO17", direction: "input", consumer: "m2m switch", isActive: true)])
        ],
        buses: [.init(number: 1, name: "i2c", targets: [.init(address: 0x76, isHeldByDriver: true)])], problems: ["p"])

    static let root = SHA256Hash { $0.pointee = 9 }
    static let files = [
        FileEntry(path: FilePath("/"), kind: .folder, isMounted: true, mode: 0o755, owner: 0, group: 0),
        FileEntry(
            path: FilePath("/a"), kind: .regular, mode: 0o4755, owner: .max, group: 7, size: .max,
            content: .digest(root)),
        FileEntry(path: FilePath("/b"), kind: .link, mode: 0o777, owner: 0, group: 0, content: .target([0xFF])),
        FileEntry(path: FilePath("/c"), kind: .regular, mode: 0, owner: 0, group: 0, size: 1, content: .tooLarge),
        FileEntry(path: FilePath(bytes: [0xFF]), kind: .socket, mode: 0, owner: 0, group: 0, content: .unreadable),
    ]
    static let change = FileChange(
        path: FilePath("/a"), kinds: FileChange.Kind.allCases, before: files[0], now: files[1], from: FilePath("/z"),
        remark: "r")
    static let integrity = IntegrityStatus(
        state: .disabled, mode: "inotify", blindness: "b", response: .disable, root: root, found: root, counter: 3,
        files: 7, changes: 2, disabledBecause: "d", window: .seconds(5), checked: .seconds(6), period: .seconds(7),
        overflows: 8, problems: ["p"])

    static let messages: [any Message] = [
        Challenge(nonce: [UInt8](repeating: 7, count: 32)),
        Enroll(
            device: device, key: [UInt8](repeating: 1, count: 32), boot: boot, claim: "SECRET", account: "anna",
            signature: [UInt8](repeating: 2, count: 64)),
        EnrolmentPending(fingerprint: "aa:bb"), Enrolled(owner: "anna"),
        Prove(
            device: device, key: [UInt8](repeating: 1, count: 32), boot: boot,
            monotonic: MonotonicTime(nanoseconds: 9), signature: [UInt8](repeating: 2, count: 64),
            integrity: IntegrityClaim(root: root, counter: 3, response: .disable, hasWindow: true)),
        Welcome(
            owner: "anna", heartbeat: .seconds(20), streams: [],
            integrity: IntegrityVerdict(counter: 3, disabledBecause: "d", objection: "o", response: .disable)),
        IntegrityAsk(id: "i", .status), IntegrityAsk(id: "i", .changes(from: 7)),
        IntegrityAsk(id: "i", .entries(from: 0)),
        IntegrityAsk(id: "i", .order(.approve(root: root, counter: 4))),
        IntegrityAsk(id: "i", .order(.enable(.alert))), IntegrityAsk(id: "i", .order(.enable(nil))),
        IntegrityAsk(id: "i", .order(.window(.seconds(600)))),
        IntegrityAsk(
            id: "i",
            .order(
                .expect(IntegrityExpectation(release: "m2m 0.2.0", changes: [change], root: root, counter: 4)))),
        IntegrityAnswer(
            id: "i", CommandOutcome(.refused, "why"), status: integrity, changes: [change], entries: files, total: 5),
        IntegrityReport(disabledBecause: "why", changes: 3),
        IntegrityReport(
            disabledBecause: nil, changes: 0,
            claim: IntegrityClaim(root: nil, counter: nil, response: .alert, expected: root)),
        IntegrityReport(disabledBecause: nil, changes: 0),
        Welcome(
            owner: "anna", heartbeat: .seconds(20),
            streams: [
                StreamReception(
                    stream: .telemetry, epoch: .max, received: SequenceRanges([1...42, 44...44, 50...UInt64.max])),
                StreamReception(stream: .events, epoch: 0, received: SequenceRanges()),
            ]),
        Heartbeat(), Heartbeat(monotonic: MonotonicTime(nanoseconds: 77)),
        ObservationBatch(
            stream: .telemetry, epoch: 9, boot: boot,
            items: contents.enumerated().map { index, content in
                .init(sequence: UInt64(index + 1), observation: Observation(time: time, content: content))
            },
            gaps: [
                Gap(3...5, of: .telemetry, epoch: 9, reason: .storeFull, since: time.wall, until: time.wall),
                Gap(stream: .telemetry, epoch: 9, first: 6, last: 6, count: nil, reason: .uncleanStop),
            ], number: 12, clockOffset: .seconds(1_795_000_000)),
        Acknowledgement(
            StreamReception(stream: .events, epoch: 1, received: SequenceRanges([1...2, 5...9])), batch: 12),
        DescriptionMessage(description),
        Call(
            id: command, component: heater, action: "pulse",
            parameters: ["duration": .number(2), "b": .boolean(false)],
            deadline: MonotonicTime(nanoseconds: 10), by: "anna", lease: lease),
        Renew(
            id: "r-1",
            LeaseRenewal(
                component: heater, lease: lease.id, duration: .zero, deadline: MonotonicTime(nanoseconds: 10))),
        Renewed(id: "r-1", CommandOutcome(.refused, "why")), Renewed(id: "r-1", CommandOutcome(.done)),
        Called(id: "c-1", CommandOutcome(.failed, "why")), Called(id: "c-1", CommandOutcome(.done)),
        ControlError("what", closes: true, about: Envelope(proto: .shell, type: "x", session: "s")),
        Login(user: "anna", password: "secret"), CodeWanted(), Code(code: "123456"), Resume(token: "t"),
        SessionGranted(user: "anna", token: "t", expires: time.wall),
        SessionGranted(user: "anna", expires: time.wall, monotonic: MonotonicTime(nanoseconds: 7)), Logout(),
        LoggedOut(), Stop(), End(),
        Items(
            contents.map {
                .observation(
                    ReportedObservation(
                        device: device, time: time.wall, content: $0, quantity: .temperature,
                        position: StreamPosition(stream: $0.stream, epoch: 3, sequence: 42), isDated: false))
            } + [
                .gap(
                    ReportedGap(
                        device: device, gap: Gap(1...2, of: .events, epoch: 4, reason: .tooOld, until: time.wall))),
                .gap(
                    ReportedGap(
                        device: device,
                        gap: Gap(stream: .events, epoch: 4, first: 3, last: 3, count: nil, reason: .storeReplaced))),
                .device(
                    DeviceSummary(
                        device: device, isOnline: true, lastSeen: nil,
                        losses: DeviceLosses(missing: 3, unknown: 2, conflicts: 1))),
                .device(DeviceSummary(device: device, label: "l", isOnline: false, lastSeen: time.wall)),
                .description(description), .ticket(ClaimTicket(device: device, code: "c", expires: time.wall)),
                .pending(PendingDevice(device: device, fingerprint: "f", since: time.wall)),
                .account(AccountSummary(user: "anna", place: "p", expires: time.wall)), .status(status),
                .inventory(inventory), .change(ReportedChange(device: device, change: change)),
                .integrity(ReportedIntegrity(device: device, status: nil)),
                .integrity(
                    ReportedIntegrity(
                        device: device, status: integrity,
                        approval: .init(
                            root: root, counter: 3, time: time.wall, by: "anna", disabledBecause: "d", objection: "o"))),
                .device(
                    DeviceSummary(
                        device: device, isOnline: true, lastSeen: nil, disabledBecause: "d", objection: "o")),
            ]),
    ]

    static let requests: [Request] = [
        .whoami, .devices, .status, .probe, .describe(Address(device: device)),
        .read(Address(device: device, component: climate, property: "temperature")), .watch(Address()),
        .history(HistoryQuery(Address(component: climate, property: "p"), since: time.wall, limit: 5)),
        .call(
            CallRequest(
                id: command, address: Address(device: device, component: heater), action: "on",
                parameters: ["x": .text("")], expiry: .seconds(5), lease: lease)),
        .renew(
            LeaseRenewalRequest(
                address: Address(device: device, component: heater), lease: lease.id, duration: .seconds(10),
                expiry: .seconds(3))),
        .claim(device), .accept(device, fingerprint: nil), .accept(device, fingerprint: "f"),
        .drive(line: "GPIO17", isActive: false), .integrity(.status(nil)), .integrity(.status(device)),
        .integrity(.changes(device)), .integrity(.approve(device, root: root)), .integrity(.enable(device, .disable)),
        .integrity(.release(device, manifest: "m2m-manifest 1")), .integrity(.enable(device, nil)),
        .integrity(.window(device, .seconds(5))),
    ]
}

@Suite struct MessageTests {
    private func roundTrip<M: Message>(_ message: M) throws {
        let envelope = try Envelope(decoding: Envelope(message, session: "s").encoded)
        #expect(envelope.kind == M.kind)
        #expect(try envelope.decode(M.self) == message)
    }

    @Test(arguments: Samples.messages.indices) func everyMessageReadsBack(index: Int) throws {
        try roundTrip(Samples.messages[index])
    }

    @Test(arguments: Samples.requests) func everyRequestReadsBack(request: Request) throws {
        let envelope = try Envelope(decoding: request.envelope(session: "7").encoded)
        #expect(envelope.session == "7")
        #expect(try Request(in: envelope) == request)
    }

    @Test func failuresReadBackInEveryProtocol() throws {
        let failure = Failure(.busy, "somebody holds it", retryAfter: .seconds(5))
        for proto in [ProtocolNumber.deviceSession, .requests, .accounts] {
            let envelope = failure.envelope(proto, session: "s")
            #expect(envelope.type == Failure.type)
            #expect(try Failure(in: envelope) == failure)
        }
    }

    @Test func unknownRequestsAreNil() throws {
        #expect(try Request(in: Envelope(proto: .requests, type: "fly", body: [0x80])) == nil)
        #expect(try Request(in: Envelope(proto: .shell, type: "devices", body: [0x80])) == nil)
    }

    @Test(
        arguments: [
            "call", "renew", "history", "claim", "accept", "drive", "integrity_approve", "integrity_enable",
            "integrity_window", "integrity_release",
        ])
    func requestsWithoutWhatTheyNeedAreErrors(type: String) {
        #expect(throws: WireError.self) { try Request(in: Envelope(proto: .requests, type: type, body: [0x80])) }
    }

    @Test func laterVersionsMayAddFieldsAndItems() throws {
        var writer = MessagePackWriter()
        writer.writeMap { map in
            map.field("owner", "anna")
            map.field("new", ["x"]) { $0.write($1) }
        }
        let envelope = Envelope(proto: .deviceSession, type: "enrolled", body: writer.bytes)
        #expect(try envelope.decode(Enrolled.self).owner == "anna")

        var items = MessagePackWriter()
        items.writeMap { map in
            map.field("items", ["hologram"]) { writer, item in writer.writeMap { $0.field("item", item) } }
        }
        #expect(try Envelope(proto: .requests, type: "items", body: items.bytes).decode(Items.self).items.isEmpty)
    }

    @Test func theSignedStatementIsBoundToEverything() {
        let base = SignedStatement(
            purpose: .prove, nonce: [UInt8](repeating: 1, count: 32), routerKeyHash: [UInt8](repeating: 2, count: 32),
            boot: Samples.boot, device: Samples.device)
        #expect(base.bytes.count == 12 + 32 + 32 + 16 + 10)
        var others = [base, base, base, base, base]
        others[0].purpose = .enroll
        others[1].nonce[0] = 9
        others[2].routerKeyHash[0] = 9
        others[3].boot = 9
        others[4].device = "other"
        #expect(Set(others.map(\.bytes) + [base.bytes]).count == 6)
    }
}

/// Hostile bytes end in an error or in a value, never in a trap.
///
/// Seeded, so that a failure can be played again.
@Suite struct HostileBytesTests {
    private func readEverything(_ bytes: [UInt8]) {
        guard let envelope = try? Envelope(decoding: bytes) else { return }
        for message in Samples.messages { read(as: message, envelope) }
        _ = try? Failure(in: envelope)
        for request in Samples.requests {
            _ = try? Request(in: Envelope(proto: .requests, type: request.type, body: envelope.body))
        }
    }

    private func read<M: Message>(as _: M, _ envelope: Envelope) {
        _ = try? envelope.decode(M.self)
    }

    @Test(arguments: 1...8) func randomBytes(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let count = Int.random(in: 0...200, using: &generator)
            let body = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            readEverything(body)
            readEverything(Envelope(proto: .requests, type: "call", body: body).encoded)
        }
        #expect(generator.next() != 0)
    }

    @Test(arguments: 1...8) func mutatedMessages(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let originals =
            Samples.messages.map { Envelope($0).encoded } + Samples.requests.map { $0.envelope(session: "1").encoded }
        var survivors = 0
        for original in originals {
            for _ in 0..<60 {
                var bytes = original
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    let index = Int.random(in: 0..<bytes.count, using: &generator)
                    switch Int.random(in: 0...2, using: &generator) {
                    case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                    case 1: bytes.remove(at: index)
                    default: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
                    }
                    if bytes.isEmpty { break }
                }
                readEverything(bytes)
                survivors += (try? Envelope(decoding: bytes)) == nil ? 0 : 1
            }
        }
        #expect(survivors > 0)
    }
}
