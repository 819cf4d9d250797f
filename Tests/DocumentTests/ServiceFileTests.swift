import ConfigurationSchema
import Foundation
import TOMLFile
import Testing

@testable import DeviceManager

/// The service files say what Docs/SafeOutputs.md says of them, and start what is there where it looks for its files.
@Suite struct ServiceFileTests {
    private let agent: ServiceFile
    private let keeper: ServiceFile
    private let document: Document

    init() throws {
        agent = try ServiceFile("agent")
        keeper = try ServiceFile("keeper")
        document = try Document("Docs/SafeOutputs.md")
    }

    @Test("the lines that are easily overlooked stand in the files of which the document says so")
    func explained() throws {
        let rows = try #require(document.tables["services"])
        #expect(rows.count >= 8)
        for row in rows {
            let files = [agent, keeper].filter { row[1] == "both" || row[1] == $0.program }
            #expect(!files.isEmpty, "\(row)")
            for file in files {
                #expect(file.settings.contains(row[0].filter { $0 != "`" }), "\(row[0]) of the \(file.program)")
            }
        }
    }

    @Test("the package makes the user as whom both run, and the groups that they need")
    func users() throws {
        let lines = try Document("Packaging/system/m2m-agent.sysusers").lines
        let user = agent["User"].joined()
        #expect(keeper["User"] == [user])
        #expect(lines.contains { $0.hasPrefix("u \(user) ") })
        for group in agent["SupplementaryGroups"] + keeper["SupplementaryGroups"] {
            #expect(lines.contains("m \(user) \(group)"))
        }
        for file in [agent, keeper] { #expect(file["WantedBy"] == ["multi-user.target"]) }
    }

    @Test(
        "neither may do more than it needs: systemd rates how exposed each is with 2.0 at most",
        .enabled(if: ServiceFile.canBeVerified, "systemd-analyze is not here, or does not work here"),
        .timeLimit(.minutes(1)))
    func exposure() throws {
        for file in [agent, keeper] {
            let rating = try #require(try file.exposure())
            print("exposure of m2m-\(file.program).service: \(rating)")
            #expect(rating <= 2.0)
        }
    }

    @Test("what is started is a program of ours, with a command and options that its help shows")
    func programs() throws {
        let help = try [
            "agent": Document("Sources/m2m-agent/Arguments.swift"), "keeper": Document("Sources/m2m-keeper/main.c"),
        ]
        for file in [agent, keeper] {
            let words = file["ExecStart"]
            #expect(words.first == "/usr/bin/m2m-\(file.program)")
            let command = try #require(words.dropFirst().first)
            let shown = try #require(
                help[file.program]?.lines.first { $0.contains("m2m-\(file.program) \(command) ") },
                "\(file.program) has no command \(command)")
            for option in words.dropFirst(2) where option.hasPrefix("-") {
                #expect(shown.contains("[\(option.prefix { $0 != "=" })"), "\(file.program) has no option \(option)")
            }
        }
    }

    @Test("systemd makes the folders in which the programs look, unless they are told otherwise")
    func folders() throws {
        var findings = Findings(file: "agent.toml")
        let table = TOMLFile.parse("[device]\nid = \"x\"\n\n[keeper]\n", &findings)
        let configuration = try #require(AgentConfiguration.read(table, &findings), "\(findings.lines)")
        let served = try #require(configuration.keeper)
        let header = try Document("Sources/m2m-keeper/protocol/keeper_protocol.h").lines
        #expect(header.contains("#define KEEPER_SOCKET \"\(served.socket)\""))
        #expect(header.contains("#define KEEPER_TABLE \"\(served.table)\""))

        let (state, run) = (("StateDirectory", below: "/var/lib"), ("RuntimeDirectory", below: "/run"))
        #expect(keeper.folders(state.0, below: state.below) == [Self.folder(of: served.table)])
        #expect(keeper.folders(run.0, below: run.below) == [Self.folder(of: served.socket)])
        // The agent writes the keeper's table.
        #expect(
            agent.folders(state.0, below: state.below)
                == [configuration.stateDirectory, Self.folder(of: served.table)])
        #expect(agent.folders(run.0, below: run.below) == [Self.folder(of: configuration.local.socket)])
        #expect(agent.folders(run.0, below: run.below) == [Self.folder(of: served.journal)])
    }

    private static func folder(of path: String) -> String {
        String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }

    @Test("the keeper comes first, and neither pulls the other down with it")
    func order() {
        #expect(keeper["Before"] == ["m2m-agent.service"])
        #expect(agent["After"] == ["m2m-keeper.service"])
        #expect(agent["Wants"] == ["m2m-keeper.service"])
        for file in [agent, keeper] {
            for tie in ["Requires", "Requisite", "BindsTo", "PartOf", "Upholds", "Conflicts", "PropagatesStopTo"] {
                #expect(file[tie].isEmpty, "\(tie)= of the \(file.program)")
            }
        }
    }

    @Test("both say themselves when they are ready; only the agent is watched, because only it speaks to a watchdog")
    func watchdog() {
        for file in [agent, keeper] { #expect(file["Type"] == ["notify"]) }
        #expect(agent["WatchdogSec"].count == 1)
        #expect(keeper.settings.filter { $0.hasPrefix("Watchdog") } == [])
        #expect(agent["ExecReload"] == ["/bin/sh", "-c", "'kill", "-HUP", "\"$MAINPID\"'"])
        // SIGHUP ends the keeper.
        #expect(keeper["ExecReload"].isEmpty)
    }

    @Test(
        "systemd understands every line",
        .enabled(if: ServiceFile.canBeVerified, "systemd-analyze is not here, or does not work here"),
        .timeLimit(.minutes(1)))
    func verified() throws {
        // The programs need not be installed where this is tested.
        let files = try [agent, keeper].map { file in
            let program = try #require(file["ExecStart"].first)
            return (name: "m2m-\(file.program).service", text: file.text.replacing(program, with: "/bin/true"))
        }
        #expect(try ServiceFile.complaints(files) == [])
    }
}
