import CKeeper
import Components
import DeviceModel
import HAL

/// Which outputs there are, where their lines are, and which lines were not found.
///
/// A plain value. The keeper refuses a table with a mistake as a whole, so nothing that it would refuse gets into one.
struct KeeperRoster {
    /// Finds a line.
    typealias Locate = (LineReference) throws(HALError) -> LineID

    /// The outputs as they are configured.
    private(set) var outputs: [ComponentID: OutputPlan]
    private var lines: [ComponentID: LineID] = [:]
    private var problems: [ComponentID: HALError] = [:]

    /// The outputs are these.
    ///
    /// - Parameters:
    ///   - outputs: The outputs as they are configured.
    ///   - before: What was known before: a line that was found once is not given up because it can't be looked up now.
    ///   - locate: Finds a line.
    init(_ outputs: [ComponentID: OutputPlan], before: KeeperRoster?, locate: Locate) {
        self.outputs = outputs
        // Nobody who comes takes the line of one that stays.
        for (id, line) in before?.lines ?? [:] where before?.outputs[id] == outputs[id] { lines[id] = line }
        for (id, plan) in outputs.sorted(by: { $0.key.rawValue < $1.key.rawValue }) where lines[id] == nil {
            place(id, Self.find(plan, locate))
        }
    }

    /// What the keeper is to hold.
    var table: KeeperTable {
        KeeperTable(
            lines.compactMap { id, line in outputs[id].map { KeeperTable.Row(id: id, plan: $0, line: line) } })
    }

    /// Why the keeper can't be asked to hold an output; nil: it can.
    func problem(of id: ComponentID) -> HALError? { problems[id] }

    /// Looks for the line of a plan.
    static func find(_ plan: OutputPlan, _ locate: Locate) -> Result<LineID, HALError> {
        do throws(HALError) {
            return .success(try locate(plan.line))
        } catch {
            return .failure(error)
        }
    }

    /// The line of an output that was missing was looked for once more.
    mutating func retried(_ id: ComponentID, _ plan: OutputPlan, _ found: Result<LineID, HALError>) {
        // It may have left, or become another one, meanwhile.
        if outputs[id] == plan, lines[id] == nil { place(id, found) }
    }

    private mutating func place(_ id: ComponentID, _ found: Result<LineID, HALError>) {
        switch found {
        case .failure(let error): problems[id] = error
        case .success(let line):
            problems[id] = obstacle(to: line)
            if problems[id] == nil { lines[id] = line }
        }
    }

    private func obstacle(to line: LineID) -> HALError? {
        if !KeeperTable.labelLength.contains(line.chip.utf8.count) || !KeeperTable.isPlain(line.chip) {
            return HALError(
                .unsupported, "line \(line)",
                advice: "a keeper finds a chip only by a label of 1 to \(KeeperTable.labelLength.upperBound) printable "
                    + "ASCII characters: use a line of another chip, or give this one such a label in the device tree")
        }
        if let other = lines.first(where: { $0.value.chip == line.chip && $0.value.offset == line.offset })?.key {
            return HALError(.busy, "line \(line)", advice: "it is that of \(other), too")
        }
        if lines.count >= Int(KEEPER_OUTPUT_LIMIT) {
            return HALError(
                .unsupported, "line \(line)", advice: "a keeper holds \(KEEPER_OUTPUT_LIMIT) outputs at most")
        }
        return nil
    }
}
