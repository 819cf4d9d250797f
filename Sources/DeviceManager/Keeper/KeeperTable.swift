import CKeeper
import Components
import DeviceModel
import HAL

/// The table of outputs that the keeper reads at boot, before there is an agent (Docs/SafeOutputs.md has its form).
///
/// A plain value.
struct KeeperTable: Hashable {
    /// An output whose line was found.
    struct Row: Hashable {
        var id: ComponentID
        var plan: OutputPlan
        var line: LineID
    }

    /// How long an agent may be silent while one of its outputs is away from safe.
    static let heartbeat: Duration = .seconds(2)

    /// How many bytes the label of a chip may have.
    static let labelLength = 1...31

    /// The outputs, in the order of their names.
    let rows: [Row]

    init(_ rows: [Row]) {
        self.rows = rows.sorted { $0.id.rawValue < $1.id.rawValue }
    }

    /// What is written.
    var text: String {
        let body = body
        return body + "end \(rows.count) \(Checksum.of(body).text)\n"
    }

    /// What tells this table from another one.
    var checksum: UInt64 { Checksum.of(body).value }

    /// Whether a text is made of what a table may have in it: printable ASCII.
    static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }

    private var body: String {
        var lines = ["m2m-keeper table 1", "heartbeat \(Self.heartbeat.milliseconds)"]
        for row in rows {
            lines += [
                "output \(row.id)", "chip \(row.line.chip)", "offset \(row.line.offset)",
                // The keeper wants it to tell twins apart only, and can do without it.
                "line \(Self.isPlain(row.line.name) ? row.line.name : "")",
                "active \(row.plan.isActiveLow ? "low" : "high")", "bias \(row.plan.bias.rawValue)",
                "safe \(row.plan.rules.safe == .active ? 1 : 0)",
                "agent-lost \(row.plan.rules.onAgentLost.hold.milliseconds)",
            ]
        }
        return lines.map { $0 + "\n" }.joined()
    }
}
