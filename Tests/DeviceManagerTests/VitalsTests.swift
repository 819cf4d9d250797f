import DeviceModel
import HAL
import HALSimulated
import HALTestKit
import Synchronization
import TestSupport
import Testing

@testable import DeviceManager

private let heaterLine = LineReference.name("GPIO5")
private let switchLine = LineReference.name("GPIO17")
private let all: Set<String> = ["outputs", "commands", "recorder", "store"]

/// Promises that each vital part of the agent gives a sign of life when it makes progress itself, and else none, however
/// much waits for it and whatever the others do.
@Suite(.timeLimit(.minutes(1))) struct VitalsTests {
    private let device: ManagedDevice

    init() throws {
        device = try ManagedDevice()
    }

    /// Asks parts for a sign of life.
    private func ask(_ names: Set<String>) -> Round {
        Round(device.manager.vitals.filter { names.contains($0.name) })
    }

    private func started() async throws {
        try await device.reading("heater", "on", .boolean(false))
        try await device.reading("switch", "pressed", .boolean(false))
    }

    /// Waits until the disk holds up what was asked of it.
    private func untilHanging(_ calls: Set<GatedStore.Call>) async {
        var missing = calls
        while !missing.isEmpty, let call = await device.gate.hangs.next() { missing.remove(call) }
    }

    /// More readings than wait for the disk.
    private func flood() {
        for number in 0..<1_100 {
            let pressed = Reading(component: "switch", property: "pressed", value: .boolean(number % 2 == 0))
            device.manager.observations.observe(at: device.time.now, .reading(pressed))
        }
        #expect(device.manager.observations.lostSinceStart > 0)
    }

    /// As many commands as wait to be written down; one more is refused.
    private func crowd() async {
        for number in 0..<64 { device.manager.commands.submit(device.command("heater", "on", id: "c\(number)")) }
        let refused = await device.perform("heater", "on")
        #expect(refused.status == .refused)
        #expect(refused.reason?.hasPrefix("too many commands are waiting") == true)
    }

    @Test("The outputs, the commands, the recorder and the store are vital; nothing else is, the link least of all")
    func names() {
        #expect(device.manager.vitals.map(\.name).sorted() == all.sorted())
    }

    @Test("Before anything runs only the store gives a sign of life; then all do")
    func beforeTheyRun() async throws {
        let round = ask(all)
        await round.untilAnswered(["store"])
        #expect(round.silent == ["outputs", "commands", "recorder"])
        try await device.run {
            await round.untilAnswered(all)
            await ask(all).untilAnswered(all)
        }
    }

    @Test("Of parts that do not run, none passes for alive because so much waits for it that there is no room to ask")
    func noRoom() async throws {
        flood()
        await crowd()
        for _ in 0..<4_096 { device.manager.link.update(.closed) }
        let notTaken = await device.renew("heater", "lease", .seconds(1))
        #expect(notTaken.reason?.contains("too many commands are waiting") == true)
        let round = ask(all)
        await round.untilAnswered(["store"])
        #expect(round.silent == ["outputs", "commands", "recorder"])
        try await device.run { await round.untilAnswered(all) }
    }

    @Test("A disk that hangs leaves the outputs alive, but neither the store nor who waits for it, until it goes on")
    func diskHangs() async throws {
        try await device.run { () async throws in
            try await started()
            device.gate.shut()
            device.manager.commands.submit(device.command("heater", "on", id: "a"))
            try device.board.drive(switchLine, .active)
            await untilHanging([.append, .claim])
            let round = ask(all)
            await round.untilAnswered(["outputs"])
            for _ in 0..<3 { await ask(["outputs"]).untilAnswered(["outputs"]) }
            #expect(round.silent == ["commands", "recorder", "store"])
            device.gate.open()
            await round.untilAnswered(all)
            #expect(try await device.result().status == .done)
            await ask(all).untilAnswered(all)
        }
    }

    @Test("A recorder that hangs does not pass for alive because more comes than can wait", arguments: [true, false])
    func recorderHangs(_ isAskedFirst: Bool) async throws {
        try await device.run { () async throws in
            try await started()
            device.gate.shut()
            try device.board.drive(switchLine, .active)
            await untilHanging([.append])
            let early = isAskedFirst ? ask(["recorder"]) : nil
            flood()
            let round = early ?? ask(["recorder"])
            await ask(["outputs", "commands"]).untilAnswered(["outputs", "commands"])
            #expect(round.silent == ["recorder"])
            device.gate.open()
            await round.untilAnswered(["recorder"])
        }
    }

    @Test("Commands that hang do not pass for alive because no more of them can wait", arguments: [true, false])
    func commandsHang(_ isAskedFirst: Bool) async throws {
        try await device.run { () async throws in
            try await started()
            device.gate.shut()
            device.manager.commands.submit(device.command("heater", "on", id: "first"))
            await untilHanging([.claim])
            let early = isAskedFirst ? ask(["commands"]) : nil
            // Who has asked must not be in the way of a command.
            await crowd()
            let round = early ?? ask(["commands"])
            await ask(["outputs"]).untilAnswered(["outputs"])
            #expect(round.silent == ["commands"])
            device.gate.open()
            await round.untilAnswered(["commands"])
        }
    }

    @Test("An actuator that hangs in the middle of a drive leaves all of them alive")
    func actuatorHangs() async throws {
        try await device.run { () async throws in
            try await started()
            device.harsh.hang(heaterLine)
            device.manager.commands.submit(device.command("heater", "on", id: "stuck"))
            #expect(await device.harsh.hangs.next() == heaterLine)
            for _ in 0..<3 { await ask(all).untilAnswered(all) }
            #expect(try device.board.look(at: heaterLine) == .inactive)
            device.harsh.letGo()
            #expect(try await device.result().status == .done)
        }
    }
}

/// Parts that were asked for a sign of life, and which of them have given it.
private final class Round: Sendable {
    private let missing: Mutex<Set<String>>
    private let answers = Mutex<[String: Task<Void, Never>]>([:])

    init(_ vitals: [Vital]) {
        missing = Mutex(Set(vitals.map(\.name)))
        for vital in vitals {
            // On this very thread as far as it comes: who answers without any progress has answered when this is over.
            let answer = Task.immediate {
                await vital.beat()
                self.missing.withLock { _ = $0.remove(vital.name) }
            }
            answers.withLock { $0[vital.name] = answer }
        }
    }

    /// Who has not answered yet.
    var silent: Set<String> { missing.withLock(\.self) }

    /// Waits for parts that were asked.
    func untilAnswered(_ names: Set<String>) async {
        for name in names { await answers.withLock({ $0[name] })?.value }
    }
}
