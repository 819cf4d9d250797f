import Components
import ConfigurationSchema
import DeviceModel
import HAL
import HALSimulated
import HALTestKit
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct ButtonTests {
    private let time = ManualTime()

    @Test func pressesAreReportedAsTheyCome() async throws {
        let board = SimulatedBoard(time: time)
        let harness = try ComponentHarness(
            Button.self,
            [
                "line": .string("GPIO17"), "bias": .string("pull-up"), "active_low": .boolean(true),
                "debounce": .string("0s"), "double_click": .string("0s"),
            ], time: time)
        let error = try await harness.run(on: board) { () async throws in
            #expect(try await harness.next("pressed").value == .boolean(false))
            try board.drive(.name("GPIO17"), .active)
            #expect(try await harness.next("pressed").value == .boolean(true))
            #expect(try await harness.events(1) == ["pressed"])
            try board.drive(.name("GPIO17"), nil)
            #expect(try await harness.events(2) == ["released", "clicked"])
            try board.drive(.name("GPIO17"), .active)
            #expect(try await harness.events(1) == ["pressed"])
            await time.untilSleepers()
            time.advance(by: .milliseconds(800))
            #expect(try await harness.events(1) == ["long-pressed"])
        }
        #expect(error == nil)
        // Stopped, it has given its line back.
        try board.occupy(.name("GPIO17"), by: "somebody")
    }

    @Test func heldAtTheStartIsAState() async throws {
        let board = SimulatedBoard(time: time)
        try board.drive(.name("GPIO17"), .active)
        let harness = try ComponentHarness(Button.self, ["line": .string("GPIO17")], time: time)
        try await harness.run(on: board) { () async throws in
            #expect(try await harness.next("pressed").value == .boolean(true))
            #expect(harness.observations.count == 0)
        }
    }

    @Test func aLineThatSomebodyHoldsIsNamed() async throws {
        let board = SimulatedBoard(time: time)
        try board.occupy(.name("GPIO17"), by: "gpio-keys")
        let harness = try ComponentHarness(Button.self, ["line": .string("GPIO17")], time: time)
        let error = try await harness.run(on: board) { while await harness.observations.next() != nil {} }
        #expect(error?.explanation.contains("held by \"gpio-keys\"") == true)
    }

    @Test func aChipThatGoesAwayEndsIt() async throws {
        let board = SimulatedBoard(time: time)
        let harness = try ComponentHarness(Button.self, ["line": .string("GPIO17")], time: time)
        let error = try await harness.run(on: board) { () async throws in
            _ = try await harness.next("pressed")
            board.unplug(chip: "simulated-header")
            while await harness.observations.next() != nil {}
        }
        #expect((error as? HALError)?.kind == .absent)
    }
}

@Suite(.timeLimit(.minutes(1))) struct ContactTests {
    @Test func aDoorOpensAndCloses() async throws {
        let time = ManualTime()
        let board = SimulatedBoard(time: time)
        let harness = try ComponentHarness(
            Contact.self, ["line": .string("pin 11"), "debounce": .string("0s")], time: time)
        try await harness.run(on: board) { () async throws in
            #expect(try await harness.next("closed").value == .boolean(false))
            try board.drive(.name("GPIO17"), .active)
            #expect(try await harness.next("closed").value == .boolean(true))
            #expect(try await harness.events(1) == ["closed"])
            try board.drive(.name("GPIO17"), .inactive)
            #expect(try await harness.events(1) == ["opened"])
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct RelayTests {
    private let time = ManualTime()
    private let line = LineReference.name("GPIO5")

    private func makeRelay(safe: String = "off", activeLow: Bool = true) throws -> ComponentHarness {
        try ComponentHarness(
            Relay.self,
            ["line": .string("GPIO5"), "safe": .string(safe), "active_low": .boolean(activeLow)], time: time)
    }

    @Test func safeIsRequired() {
        #expect { try ComponentHarness(Relay.self, ["line": .string("GPIO5")], time: time) } throws: {
            "\($0)".contains("'safe' is missing")
        }
    }

    @Test func switchesAndTells() async throws {
        let board = SimulatedBoard(time: time)
        let relay = try makeRelay()
        try await relay.run(on: board) { () async throws in
            #expect(try await relay.next("on").value == .boolean(false))
            #expect(try board.level(of: line))
            #expect(await relay.order("on").0 == .done)
            #expect(try !board.level(of: line))
            #expect(try await relay.next("on").value == .boolean(true))
            #expect(await relay.order("toggle").0 == .done)
            #expect(try board.level(of: line))
            #expect(await relay.order("off").0 == .done)
        }
    }

    /// An active-low relay on a line that is high: neither taking the line nor giving it back may move it.
    @Test func anActiveLowRelayDoesNotClick() async throws {
        let board = SimulatedBoard(time: time)
        try board.drive(line, .active)  // nobody holds it: high
        let before = try board.switches(of: line)
        let relay = try makeRelay()
        try await relay.run(on: board) { _ = try await relay.next("on") }
        #expect(try board.switches(of: line) == before)
    }

    @Test(arguments: [("off", LineValue.inactive), ("on", .active)])
    func itIsSafeAtTheStartAndAtTheEnd(safe: String, value: LineValue) async throws {
        let board = SimulatedBoard(time: time)
        let relay = try makeRelay(safe: safe, activeLow: false)
        try await relay.run(on: board) { () async throws in
            _ = try await relay.next("on")
            #expect(try board.look(at: line) == value)
            _ = await relay.order("toggle")
            #expect(try board.look(at: line) == value.toggled)
        }
        var readings: [Value?] = []
        relay.observations.finish()
        while let content = await relay.observations.next() {
            if case .reading(let reading) = content { readings.append(reading.value) }
        }
        #expect(readings.last == .boolean(value == .active))
    }

    @Test func aPulseEndsByItself() async throws {
        let board = SimulatedBoard(time: time)
        let relay = try makeRelay(activeLow: false)
        try await relay.run(on: board) { () async throws in
            _ = try await relay.next("on")
            #expect(await relay.order("pulse", ["duration": .number(2)]).0 == .done)
            #expect(try await relay.next("on").value == .boolean(true))
            await time.untilSleepers()
            time.advance(by: .seconds(2))
            #expect(try await relay.next("on").value == .boolean(false))
            #expect(try board.look(at: line) == .inactive)
        }
    }

    @Test func aCommandEndsAPulse() async throws {
        let board = SimulatedBoard(time: time)
        let relay = try makeRelay(activeLow: false)
        try await relay.run(on: board) { () async throws in
            _ = await relay.order("pulse", ["duration": .number(2)])
            _ = await relay.order("on")
            time.advance(by: .seconds(5))
            #expect(await relay.order("on").0 == .done)
            #expect(try board.look(at: line) == .active)
        }
    }

    @Test func aCommandThatComesTooLateIsNotDone() async throws {
        let board = SimulatedBoard(time: time)
        let relay = try makeRelay(activeLow: false)
        try await relay.run(on: board) { () async throws in
            let (status, reason) = await relay.order("on", expiry: .zero)
            #expect(status == .expired)
            #expect(reason?.contains("too late") == true)
            #expect(try board.look(at: line) == .inactive)
        }
    }

    @Test func aBoardThatFailsIsToldToWhoeverCommanded() async throws {
        let board = SimulatedBoard(time: time)
        let relay = try makeRelay()
        let error = try await relay.run(on: board) { () async throws in
            _ = try await relay.next("on")
            board.unplug(chip: "simulated-header")
            let (status, reason) = await relay.order("on")
            #expect(status == .failed)
            #expect(reason?.contains("simulated-header") == true)
        }
        #expect(error != nil)
    }
}

@Suite(.timeLimit(.minutes(1))) struct HostSystemTests {
    @Test func whatTheMachineTells() async throws {
        let time = ManualTime()
        let board = SimulatedBoard(time: time)
        board.setHost { readings in
            (readings.processorTemperature, readings.isUnderVoltage, readings.isThrottled) = (330, true, nil)
        }
        let harness = try ComponentHarness(HostSystem.self, time: time)
        try await harness.run(on: board) { () async throws in
            #expect(try await harness.next("processor_temperature").value == .number(330))
            #expect(try await harness.next("under_voltage").value == .boolean(true))
            // What a machine does not tell is not reported.
            #expect(harness.observations.count == 0)
        }
    }
}

@Suite struct CatalogueTests {
    @Test func everyModelHasItsOwnNameAndDescribesItself() {
        #expect(Set(Catalogue.models.map { $0.model }).count == Catalogue.models.count)
        for model in Catalogue.models {
            #expect(Catalogue.model(named: model.model) != nil)
            #expect(!model.summary.isEmpty)
            #expect(Set(model.keys.map(\.name)).count == model.keys.count)
        }
        #expect(Catalogue.model(named: "nope") == nil)
    }
}
