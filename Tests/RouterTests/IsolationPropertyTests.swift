import DeviceModel
import Foundation
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: whatever is asked, in whatever way, and whatever a device says, nothing of it arrives in somebody else's
/// space; and each answer is, byte for byte, the one that comes where that space is empty.
@Suite(.timeLimit(.minutes(5))) struct IsolationPropertyTests {
    /// How a request was answered, as far as two worlds can be compared.
    private struct Answer: Hashable {
        var envelopes: [Envelope]
        /// Whether it was understood, whatever came of it.
        var isUnderstood: Bool
    }

    /// Asks, and takes the whole answer; what is random in it is left out.
    private func ask(_ attempt: Attempt, _ talk: Talk, _ id: String) async throws -> Answer {
        try await talk.send(attempt.envelope(id))
        if attempt.type == "watch" { try await talk.send(Envelope(Stop(), session: id)) }
        var answer = Answer(envelopes: [], isUnderstood: true)
        while true {
            let envelope = try await talk.next()
            guard envelope.type == Items.kind.type else {
                answer.envelopes.append(envelope)
                if envelope.type == Failure.type, envelope.proto != .control {
                    answer.isUnderstood = try Failure(in: envelope).code != .badRequest
                }
                if envelope.proto == .control { answer.isUnderstood = false }
                return answer
            }
            answer.envelopes.append(Envelope(Items(try envelope.decode(Items.self).items.map(\.compared)), session: id))
        }
    }

    @Test("10 000 attempts of a person: nothing is delivered, and no answer tells that there is anything")
    func persons() async throws {
        let full = try await SpaceWorld(isFull: true)
        let empty = try await SpaceWorld(isFull: false)
        let before = try await full.foreignRows()
        #expect(before.count > 10)
        var understood: [String: Int] = [:]
        let types = Request.types.sorted()
        try await full.bench.person(full.mallory) { one in
            try await empty.bench.person(empty.mallory) { other in
                var generator = SeededGenerator(seed: 5)
                for number in 0..<10_000 {
                    let attempt = Attempt(types[number % types.count], using: &generator)
                    let answer = try await ask(attempt, one, "\(number)")
                    let expected = try await ask(attempt, other, "\(number)")
                    if answer != expected { Issue.record("\(attempt.type): \(answer), not \(expected)") }
                    if answer.isUnderstood { understood[attempt.type, default: 0] += 1 }
                }
            }
        }
        // A new request whose fields are not among those that are tried would never be understood.
        for type in types { #expect(understood[type, default: 0] > 10, "\(type) was never understood") }
        #expect(full.delivered == 0)
        #expect(try await full.foreignRows() == before)
    }

    @Test("What a device says in somebody else's name arrives nowhere, and is answered like nonsense")
    func devices() async throws {
        let full = try await SpaceWorld(isFull: true)
        let empty = try await SpaceWorld(isFull: false)
        let before = try await full.foreignRows()
        let shed = try DeviceIdentity("shed", seed: 4)
        for world in [full, empty] {
            _ = try await world.bench.store.addDevice("shed", of: world.mallory, key: shed.publicKey)
        }
        // A command of bob's that waits for its answer, under a name that mallory knows.
        let request = CallRequest(
            id: SpaceWorld.command, address: Address(device: "cellar", component: Sample.heater), action: "on")
        let row = try #require(try await full.bench.store.devices(of: full.bob, named: "cellar").first).row
        let end = Mailbox<CommandResult>(bound: 1, policy: .refuseNewest)
        let task = Task { [bob = full.bob, bench = full.bench] in
            end.send(
                await bench.core.switchboard.call(request, device: row, owner: bob, component: Sample.heater))
            return ()
        }
        while full.notices.count == 0 { await Task.yield() }
        #expect(full.notices.count == 1)
        let news = full.news?.count ?? 0
        var answers: [Set<Envelope>] = []
        for world in [full, empty] {
            var heard: Set<Envelope> = []
            try await world.bench.device(shed) { talk, _ in
                for message in Self.lies { try await talk.send(message) }
                // Answered by an error when all before it has been heard; what is stored is answered later.
                try await talk.send(Envelope(proto: .deviceSession, type: "nonsense", body: [0x80]))
                for _ in 0..<3 { heard.insert(try await talk.next()) }
            }
            #expect(heard.contains { $0.kind == ControlError.kind })
            #expect(heard.filter { $0.kind == Acknowledgement.kind }.count == 2)
            answers.append(heard)
        }
        #expect(answers[0] == answers[1])
        #expect(end.count == 0)
        #expect(full.notices.count == 1)
        #expect((full.news?.count ?? 0) == news)
        #expect(try await full.foreignRows() == before)
        task.cancel()
        await task.value
    }

    /// What mallory's device may say that is bob's.
    private static var lies: [Envelope] {
        [
            Envelope(Called(id: SpaceWorld.command, CommandOutcome(.done))),
            Envelope(Renewed(id: "1", CommandOutcome(.done))),
            Envelope(Heartbeat(monotonic: MonotonicTime(nanoseconds: 1))),
            Envelope(IntegrityAnswer(id: "1", status: IntegrityStatus(state: .intact))),
            Envelope(IntegrityReport(disabledBecause: "a lie", changes: 1)),
            Envelope(
                Sample.batch([Sample.result(1, SpaceWorld.command)], stream: .events, epoch: Sample.epoch)),
            Envelope(Sample.batch(Sample.readings(1...3))),
        ]
    }

    @Test("Whatever a device may say once it is in is tried: a new message is among the lies, or this fails")
    func everyMessage() throws {
        let path = Repository.path("Sources/Router/Devices/DeviceSession.swift")
        let taken = try String(contentsOfFile: path, encoding: .utf8).matches(of: /case \((\w+)\.kind, \.open\)/)
        let tried = Set(Self.lies.map(\.kind) + [DescriptionMessage.kind])
        let kinds: [String: MessageKind] = [
            "Heartbeat": Heartbeat.kind, "DescriptionMessage": DescriptionMessage.kind,
            "ObservationBatch": ObservationBatch.kind, "Renewed": Renewed.kind, "Called": Called.kind,
            "IntegrityAnswer": IntegrityAnswer.kind, "IntegrityReport": IntegrityReport.kind,
        ]
        #expect(taken.count >= 5)
        for match in taken {
            let kind = kinds[String(match.1)]
            #expect(kind.map(tried.contains) == true, "\(match.1) is not tried")
        }
    }

    @Test("A device that describes itself as bob's is answered the same, whether he has it or not")
    func description() async throws {
        let shed = try DeviceIdentity("shed", seed: 4)
        var answers: [Failure] = []
        for isFull in [true, false] {
            let world = try await SpaceWorld(isFull: isFull)
            let before = try await world.foreignRows()
            _ = try await world.bench.store.addDevice("shed", of: world.mallory, key: shed.publicKey)
            try await world.bench.device(shed) { talk, _ in
                try await talk.send(DescriptionMessage(Sample.description("cellar")))
                answers.append(try await talk.failure())
            }
            #expect(try await world.foreignRows() == before)
            #expect(world.delivered == 0)
        }
        #expect(answers[0] == answers[1])
    }

    @Test("An enrolment for bob's account is answered as one for nobody's, and a key of his is no device of mallory's")
    func enrolments() async throws {
        let world = try await SpaceWorld(isFull: true)
        let stranger = try DeviceIdentity("cellar", seed: 5)
        var answers: [Envelope] = []
        for account in ["bob", "nobody"] {
            try await world.bench.device { talk, challenge in
                try await talk.send(try stranger.enroll(challenge, account: account))
                answers.append(try await talk.next())
            }
        }
        #expect(answers[0] == answers[1])
        #expect(answers[0].kind == EnrolmentPending.kind)
    }

    @Test("How long an answer takes tells nothing: AUC at most 0.55 over 10 000 pairs")
    func timing() async throws {
        let world = try await SpaceWorld(isFull: true)
        try await world.bench.person(world.mallory) { talk in
            var generator = SeededGenerator(seed: 6)
            let clock = ContinuousClock()
            var times: [Bool: [Duration]] = [true: [], false: []]
            for number in 0..<10_000 {
                for isForeign in [true, false].shuffled(using: &generator) {
                    // Of one length: cellar is bob's, closet nobody's.
                    let request = Self.request(number, isForeign ? "cellar" : "closet")
                    let start = clock.now
                    let refusal = await failure { _ = try await talk.ask(request, id: "\(number)") }
                    times[isForeign]?.append(clock.now - start)
                    #expect(refusal?.code == .notFound)
                }
            }
            let auc = Self.auc(times[true] ?? [], times[false] ?? [])
            #expect((0.45...0.55).contains(auc), "\(auc)")
        }
    }

    /// One request after the other, of those that name a device and find none.
    private static func request(_ number: Int, _ device: DeviceID) -> Request {
        let address = Address(device: device, component: Sample.climate)
        let all: [Request] = [
            .read(address), .describe(address), .watch(address), .history(HistoryQuery(address)),
            .call(CallRequest(id: "c1", address: address, action: "on")),
            .renew(LeaseRenewalRequest(address: address, lease: "l1", duration: .seconds(10))),
            .accept(device, fingerprint: SpaceWorld.fingerprint), .revoke(device), .enable(device),
        ]
        return all[number % all.count]
    }

    /// How well one kind of time can be told from the other: 0.5 not at all (Mann and Whitney, 1947).
    static func auc(_ ones: [Duration], _ others: [Duration]) -> Double {
        let all = (ones.map { ($0, true) } + others.map { ($0, false) }).sorted { $0.0 < $1.0 }
        var (rankSum, index) = (0.0, 0)
        while index < all.count {
            var end = index
            while end < all.count, all[end].0 == all[index].0 { end += 1 }
            let rank = Double(index + end + 1) / 2
            rankSum += rank * Double(all[index..<end].count { $0.1 })
            index = end
        }
        let (count, otherCount) = (Double(ones.count), Double(others.count))
        return (rankSum - count * (count + 1) / 2) / (count * otherCount)
    }
}

extension Item {
    /// What can be compared between two routers: without what is random.
    fileprivate var compared: Item {
        switch self {
        case .ticket(var ticket):
            ticket.code = ""
            return .ticket(ticket)
        case .session(var session):
            session.name = ""
            return .session(session)
        case .audit(var record):
            if record.act == "login" { record.object = "" }
            return .audit(record)
        default: return self
        }
    }
}
