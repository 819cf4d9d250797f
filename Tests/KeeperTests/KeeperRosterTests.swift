import Components
import DeviceModel
import HAL
import TestSupport
import Testing

@testable import Keeper

/// Promises that the keeper is never given a table that it would refuse as a whole, and that an output which is as before
/// keeps its line whatever becomes of the others.
struct KeeperRosterTests {
    private static let heater = KeeperBench.plan(5)
    private static let pump = KeeperBench.plan(6)

    private func located(_ offset: Int) -> LineID {
        LineID(chip: "simulated-header", offset: offset, name: "GPIO\(offset)")
    }

    /// Finds the lines of the plans above; a name and a chip with an offset mean the same.
    private func locate(_ line: LineReference) throws(HALError) -> LineID {
        switch line {
        case .chip(_, let offset): located(offset)
        default: located(line.gpio ?? 0)
        }
    }

    private func nothing(_ line: LineReference) throws(HALError) -> LineID {
        throw HALError(.failed, "\(line)", errno: 24)
    }

    @Test("Of two outputs on one line the later is told, and the other is held")
    func sameLine() {
        var second = Self.heater
        second.line = .chip("simulated-header", offset: 5)
        let roster = KeeperRoster(
            ["heater": Self.heater, "valve": second, "pump": Self.pump], before: nil, locate: locate)
        #expect(roster.table.rows.map(\.id) == ["heater", "pump"])
        #expect(roster.problem(of: "valve")?.kind == .busy)
        #expect(roster.problem(of: "valve")?.description.contains("heater") == true)
        #expect(roster.problem(of: "heater") == nil)
    }

    @Test("A keeper holds 64 outputs: one more is told, and the others are held")
    func tooMany() {
        let ids = (10...74).map { ComponentID(stringLiteral: "relay-\($0)") }
        let plans = zip(ids, 10...74).map { ($0, KeeperBench.plan($1)) }
        let roster = KeeperRoster(Dictionary(uniqueKeysWithValues: plans), before: nil, locate: locate)
        #expect(roster.table.rows.map(\.id) == Array(ids.prefix(64)))
        #expect(roster.problem(of: "relay-74")?.description.contains("64") == true)
    }

    @Test(
        "A chip whose label a table can't have is told with what to do about it, and the other outputs are held",
        arguments: ["", String(repeating: "x", count: 32), "Küche", "two\nlines", "bell\u{7}"])
    func strangeLabel(label: String) {
        let roster = KeeperRoster(["heater": Self.heater, "pump": Self.pump], before: nil) { (line) throws(HALError) in
            line.gpio == 5 ? LineID(chip: label, offset: 5, name: "GPIO5") : located(6)
        }
        #expect(roster.table.rows.map(\.id) == ["pump"])
        #expect(roster.problem(of: "heater")?.kind == .unsupported)
        #expect(roster.problem(of: "heater")?.description.contains("use a line of another chip") == true)
    }

    @Test("A label as long as a table has room for is no trouble")
    func longLabel() {
        let label = String(repeating: "~", count: 31)
        let roster = KeeperRoster(["heater": Self.heater], before: nil) { (_) throws(HALError) in
            LineID(chip: label, offset: 5, name: "GPIO5")
        }
        #expect(roster.table.rows.map(\.line.chip) == [label])
        #expect(roster.problem(of: "heater") == nil)
    }

    @Test("What is as before keeps its line: it is neither looked for again nor taken by one that comes")
    func unchanged() {
        let before = KeeperRoster(["pump": Self.pump], before: nil, locate: locate)
        let blind = KeeperRoster(["pump": Self.pump, "heater": Self.heater], before: before, locate: nothing)
        #expect(blind.table == before.table)
        #expect(blind.problem(of: "heater") != nil)
        var early = Self.pump
        early.bias = .disabled
        let crowded = KeeperRoster(["pump": Self.pump, "alarm": early], before: before, locate: locate)
        #expect(crowded.table == before.table)
        #expect(crowded.problem(of: "alarm")?.kind == .busy)
    }

    @Test("A line that was missing is in the table once it is found, unless its output is another one by then")
    func retried() {
        var roster = KeeperRoster(["heater": Self.heater], before: nil, locate: nothing)
        #expect(roster.table.rows.isEmpty)
        roster.retried("heater", Self.pump, .success(located(6)))
        #expect(roster.table.rows.isEmpty)
        roster.retried("heater", Self.heater, .success(located(5)))
        #expect(roster.table.rows.map(\.id) == ["heater"])
        #expect(roster.problem(of: "heater") == nil)
    }
}
