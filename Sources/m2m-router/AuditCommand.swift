import ArgumentParser
import DeviceModel
import Router
import Terminal

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Look at the audit log: who did what, from where, and what came of it.",
        subcommands: [Verify.self, List.self])

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check that nothing in the audit log was changed, cut off or rewritten.",
            discussion: """
                Each entry carries the hash of all before it, and each device is told the last one when it connects. The \
                exit status is 0 where the log is sound, and 1 with a line for each finding where it is not.
                """)

        @OptionGroup var data: UserCommand.DataOption

        func run() throws {
            let report = try AuditCheck.run(dataDirectory: data.data)
            guard report.findings.isEmpty else {
                for finding in report.findings { Output.error("m2m-router: \(report.path): \(finding)") }
                throw ProgramExit(.failed)
            }
            Output.line("the audit log is sound: \(report.entries) entries, the last one with the hash \(report.hash)")
            Output.line("compared with what \(report.devices) devices were told")
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the audit log of everybody, as it is in its file.")

        @Option(help: "At most so many entries, the newest of them.")
        var limit: Int = 100

        @OptionGroup var data: UserCommand.DataOption

        func validate() throws {
            if limit < 0 { throw ValidationError("--limit can't be negative") }
        }

        func run() throws {
            for line in try AuditCheck.lines(limit: limit, dataDirectory: data.data) { Output.line(line) }
        }
    }
}
