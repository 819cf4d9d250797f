import Components
import DeviceModel
import HAL
import TestSupport
import Testing

@testable import Keeper

/// Promises that the table which the agent writes is the one that m2m-keeper reads: its own program says so.
@Suite(.serialized, .timeLimit(.minutes(1))) struct KeeperTableTests {
    private let bench: KeeperBench

    init() throws {
        bench = try KeeperBench()
    }

    private func row(_ id: ComponentID, _ offset: Int, _ plan: OutputPlan) -> KeeperTable.Row {
        KeeperTable.Row(
            id: id, plan: plan, line: LineID(chip: "simulated-header", offset: offset, name: "GPIO\(offset)"))
    }

    /// What m2m-keeper says of a text.
    private func check(_ text: String) async throws -> (status: Int32?, said: String) {
        try bench.folder.write("outputs.table", text)
        try bench.folder.write("said", "")
        let status = try await bench.run(["check", "--table", bench.table]).end()
        return (status, try bench.said)
    }

    @Test("Every kind of output is read as it was meant")
    func everyKind() async throws {
        var heater = KeeperBench.plan(5, safe: .inactive, isActiveLow: true) { $0.onAgentLost = .hold(.seconds(5)) }
        heater.bias = .pullUp
        var pump = KeeperBench.plan(6, safe: .active) { $0.onAgentLost = .hold(.milliseconds(1_500)) }
        pump.bias = .pullDown
        var lamp = KeeperBench.plan(13)
        lamp.bias = .disabled
        var valve = KeeperBench.plan(19, safe: .active, isActiveLow: true)
        valve.bias = .asIs
        let table = KeeperTable([
            row("valve", 19, valve), row("heater", 5, heater), row("pump", 6, pump), row("lamp", 13, lamp),
        ])
        let (status, said) = try await check(table.text)
        #expect(status == 0)
        #expect(
            said.split(separator: "\n").map(String.init) == [
                "heater: GPIO5 (simulated-header offset 5), safe off, agent lost: safe after 5 s; free",
                "lamp: GPIO13 (simulated-header offset 13), safe off, agent lost: safe at once; free",
                "pump: GPIO6 (simulated-header offset 6), safe on, agent lost: safe after 1.5 s; free",
                "valve: GPIO19 (simulated-header offset 19), safe on, agent lost: safe at once; free",
            ])
        let lines = "output heater\nchip simulated-header\noffset 5\nline GPIO5\nactive low\nbias pull-up\n"
        #expect(table.text.contains("\n\(lines)"))
        #expect(table.text.contains("\nactive high\nbias pull-down\nsafe 1\nagent-lost 1500\n"))
    }

    @Test("Each table begins with its version and the two seconds that an agent may be silent")
    func head() {
        let head = "m2m-keeper table 1\nheartbeat 2000\n"
        #expect(KeeperTable([]).text.hasPrefix("\(head)end 0 "))
        #expect(KeeperTable([row("heater", 5, KeeperBench.plan(5))]).text.hasPrefix("\(head)output heater\n"))
    }

    @Test("The same outputs make the same text, in whatever order; others make another one")
    func order() {
        let (heater, pump) = (row("heater", 5, KeeperBench.plan(5)), row("pump", 6, KeeperBench.plan(6)))
        #expect(KeeperTable([heater, pump]).text == KeeperTable([pump, heater]).text)
        let other = row("pump", 6, KeeperBench.plan(6) { $0.onAgentLost = .hold(.milliseconds(100)) })
        #expect(KeeperTable([heater, other]).checksum != KeeperTable([heater, pump]).checksum)
    }

    @Test("A line whose name a table can't have is in it without one, and the keeper reads that")
    func strangeNames() async throws {
        let names = ["", "~ a name ~", "Küche", "two\nlines", "del\u{7F}"]
        let rows = names.enumerated().map { (index, name) in
            let id = ComponentID(stringLiteral: "output-\(index)")
            let line = LineID(chip: "simulated-header", offset: index, name: name)
            return KeeperTable.Row(id: id, plan: KeeperBench.plan(index), line: line)
        }
        let (status, said) = try await check(KeeperTable(rows).text)
        #expect(status == 0, "\(said)")
        let lines = said.split(separator: "\n").map { $0.prefix { $0 != "," } }
        #expect(
            lines == [
                "output-0: simulated-header offset 0", "output-1: ~ a name ~ (simulated-header offset 1)",
                "output-2: simulated-header offset 2", "output-3: simulated-header offset 3",
                "output-4: simulated-header offset 4",
            ])
    }

    @Test("Rules that the keeper has no part in make no other table: it need not be told of them")
    func rulesOfTheAgent() {
        let plain = row("heater", 5, KeeperBench.plan(5))
        let ruled = row(
            "heater", 5,
            KeeperBench.plan(5) { rules in
                (rules.maxOn, rules.minOff, rules.interlock) = (.seconds(60), .seconds(10), ["pump"])
                rules.onLinkLost = .safe(after: .seconds(30))
            })
        #expect(KeeperTable([plain]).text == KeeperTable([ruled]).text)
    }

    @Test("A table without outputs is one, and so is one with as many as the keeper takes")
    func fewAndMany() async throws {
        let none = try await check(KeeperTable([]).text)
        #expect(none.status == 0)
        #expect(none.said == "the table has no outputs\n")
        let names = (0..<28).map { ComponentID(stringLiteral: "output-\($0)-" + String(repeating: "x", count: 50)) }
        let many = names.enumerated().map { row($0.element, $0.offset, KeeperBench.plan($0.offset)) }
        let all = try await check(KeeperTable(many).text)
        #expect(all.status == 0)
        #expect(all.said.split(separator: "\n").count == 28)
    }

    @Test("A table of which a byte is wrong or missing is refused as a whole")
    func damage() async throws {
        let text = KeeperTable([row("heater", 5, KeeperBench.plan(5)), row("pump", 6, KeeperBench.plan(6))]).text
        let bytes = Array(text.utf8)
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<20 {
            var damaged = bytes
            let place = Int.random(in: bytes.indices, using: &generator)
            if Bool.random(using: &generator) { damaged[place] ^= 1 } else { damaged.remove(at: place) }
            let (status, said) = try await check(String(decoding: damaged, as: UTF8.self))
            #expect(status == 78, "\(place): \(said)")
        }
    }
}
