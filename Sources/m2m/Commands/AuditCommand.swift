import ArgumentParser
import Client
import DeviceModel
import Terminal
import Wire

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Show what happened in your space: who, from where, what, and what came of it.")

    @Option(help: "Nothing older than this, such as 1h or 30d. (default: everything)")
    var since: TimeSpan?

    @Option(help: "At most so many, the newest of them.")
    var limit: Int?

    @OptionGroup var format: Format

    func validate() throws {
        if let limit, limit < 0 { throw ValidationError("--limit can't be negative") }
    }

    func run() async throws {
        let query = AuditQuery(since: try since.map { try SystemTime().wall - $0.duration }, limit: limit)
        var connection = try await Place.router()
        try await connection.ask(.audit(query)) { items in
            for item in items { Output.line(format.json ? item.json.text : item.line) }
        }
        await connection.close()
    }
}
