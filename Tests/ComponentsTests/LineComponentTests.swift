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

@Suite struct RelayTests {
    private func relay(_ entries: [String: Node.Value] = [:]) throws -> any Actuator {
        let table: [String: Node.Value] = ["line": .string("GPIO5"), "safe": .string("off")]
        let harness = try ComponentHarness(Relay.self, table.merging(entries) { $1 }, time: ManualTime())
        return try #require(harness.component as? any Actuator)
    }

    private func mistakes(_ entries: [String: Node.Value]) -> String {
        do {
            _ = try relay(entries)
            return ""
        } catch {
            return "\(error)"
        }
    }

    private func node(_ value: Node.Value) -> Node { Node(value, at: Position(line: 1, column: 1)) }

    private func table(_ entries: [String: Node.Value]) -> Node.Value {
        .table(
            Table(
                entries.sorted { $0.key < $1.key }.map {
                    Table.Entry(key: $0.key, position: Position(line: 1, column: 1), node: node($0.value))
                }))
    }

    private func wish(_ action: String, _ parameters: [String: Value] = [:]) throws -> OutputWish {
        try relay().wish(
            for: Command(
                id: "1", component: "heater", action: action, parameters: parameters,
                deadline: MonotonicTime(nanoseconds: 1), origin: .binding("switch")))
    }

    @Test func safeIsRequired() {
        #expect { try ComponentHarness(Relay.self, ["line": .string("GPIO5")], time: ManualTime()) } throws: {
            "\($0)".contains("'safe' is missing")
        }
    }

    @Test func actionsAreWishes() throws {
        #expect(try wish("on") == .set(.active))
        #expect(try wish("off") == .set(.inactive))
        #expect(try wish("toggle") == .toggle)
        #expect(try wish("pulse", ["duration": .number(2)]) == .pulse(.seconds(2)))
    }

    @Test("the resistor pulls towards safe, unless the file says otherwise")
    func bias() throws {
        #expect(try relay().output.bias == .pullDown)
        #expect(try relay(["active_low": .boolean(true)]).output.bias == .pullUp)
        #expect(try relay(["safe": .string("on")]).output.bias == .pullUp)
        #expect(try relay(["active_low": .boolean(true), "safe": .string("on")]).output.bias == .pullDown)
        #expect(try relay(["bias": .string("as-is")]).output.bias == .asIs)
    }

    @Test func rulesAreRead() throws {
        let rules = try relay([
            "on_agent_lost": table(["hold": .string("5s")]),
            "on_link_lost": table(["after": .string("30s"), "do": .string("safe")]),
            "max_on": .string("30m"), "min_on": .string("1s"), "min_off": .string("10s"),
            "interlock": .array([node(.string("cooler"))]), "interlock_delay": .string("200ms"),
        ]).output.rules
        #expect(rules.onAgentLost == .hold(.seconds(5)))
        #expect(rules.onLinkLost == .safe(after: .seconds(30)))
        #expect(rules.maxOn == .seconds(1_800))
        #expect((rules.minOn, rules.minOff) == (.seconds(1), .seconds(10)))
        #expect(rules.interlock == ["cooler"])
        #expect(rules.interlockDelay == .milliseconds(200))
        #expect(try relay(["on_link_lost": table(["do": .string("hold")])]).output.rules.onLinkLost == .hold)
        #expect(try relay(["on_agent_lost": .string("safe")]).output.rules.onAgentLost == .safe)
        let sentences = rules.sentences(beside: [:], hasKeeper: true)
        #expect(sentences.count == 7)
        #expect(sentences.contains { $0.contains("kept for 5s when the agent dies or hangs") })
        let alone = rules.sentences(beside: [:], hasKeeper: false)
        #expect(alone.count == 7)
        #expect(alone.contains { $0.contains("without a keeper nothing is promised") })
    }

    @Test func rulesThatContradictEachOtherAreMistakes() {
        #expect(mistakes(["safe": .string("on"), "max_on": .string("1m")]).contains("'max_on' makes it safe"))
        #expect(mistakes(["min_on": .string("2m"), "max_on": .string("1m")]).contains("'min_on' is longer"))
        #expect(mistakes(["on_agent_lost": .string("hold")]).contains("must be \"safe\" or { hold = \"5s\" }"))
        #expect(mistakes(["on_link_lost": .string("hold")]).contains("{ do = \"hold\" }"))
        #expect(mistakes(["on_link_lost": table(["do": .string("safe")])]).contains("needs after"))
        #expect(
            mistakes(["on_link_lost": table(["do": .string("hold"), "after": .string("1s")])]).contains("no use for"))
        #expect(mistakes(["interlock": .string("No Name")]).contains("must be the name of a component"))
    }

    @Test("a pulse leaves safe for a time, whatever safe is")
    func pulseWords() throws {
        #expect(try relay().description.action("pulse")?.title == "Switches it on for a time, then off")
        let normallyOn = try relay(["safe": .string("on")])
        #expect(normallyOn.description.action("pulse")?.title == "Switches it off for a time, then on")
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
