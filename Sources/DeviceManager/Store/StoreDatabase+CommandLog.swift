import DeviceModel

extension StoreDatabase {
    /// How many commands are remembered.
    private static let remembered = 1_000

    /// Writes down that a command is about to be done.
    func claim(_ command: Command) throws(StoreError) -> Bool {
        try sqlite.transaction { () throws(StoreError) in
            let isKnown = try sqlite.first(
                "SELECT 1 FROM commands WHERE id = ?", [.text(command.id.rawValue)]
            ) { _ in true }
            guard isKnown == nil else { return false }
            try sqlite.run(
                // Their order, and no time: where a clock is set back, the newest must not be taken for the oldest.
                "INSERT INTO commands (id, at, component, action, finished) "
                    + "VALUES (?, (SELECT ifnull(max(at), 0) + 1 FROM commands), ?, ?, 0)",
                [.text(command.id.rawValue), .text(command.component.rawValue), .text(command.action)])
            try sqlite.run(
                "DELETE FROM commands WHERE finished = 1 "
                    + "AND at <= (SELECT max(at) FROM commands) - \(Self.remembered)")
            return true
        }
    }

    /// The commands that were begun and never came to an end.
    func interrupted() throws(StoreError) -> [CommandResult] {
        var results: [CommandResult] = []
        try sqlite.run("SELECT id, component, action FROM commands WHERE finished = 0") { row in
            guard let id = CommandID(rawValue: row.text(0)), let component = ComponentID(rawValue: row.text(1))
            else { return }
            results.append(
                CommandResult(
                    id: id, component: component, action: row.text(2), status: .interrupted,
                    reason: "the agent stopped before the command had ended"))
        }
        return results
    }
}
