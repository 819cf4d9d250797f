import ArgumentParser
import DeviceModel
import Foundation
import Glibc
import Terminal

struct DiagCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diag", abstract: "Pack how this device is into one archive, for whoever is to help.",
        discussion: """
            In it are what the doctor says, the status, the configuration and the logs, without what looks like a \
            secret. Run it with sudo, or less is in it; and look through it before you pass it on.
            """)

    @Option(name: .customLong("config"), help: "The agent's configuration, where it is not that of the one that runs.")
    var agentConfiguration: String?

    @Option(help: "The archive; without it one in this folder, with the time in its name.")
    var output: String?

    @OptionGroup var format: Format

    func run() throws {
        let stamp = WallTime(nanoseconds: Int64(Date().timeIntervalSince1970) * 1_000_000_000).rfc3339
        let name = "m2m-diag-" + stamp.prefix(19).replacing(":", with: "")
        let archive = output ?? "\(name).tar.gz"
        // Made here and by nobody else, whoever else may write to this folder; others may not read it.
        let file = open(archive, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw Refusal(
                errno == EEXIST
                    ? "there is \(archive) already; name another with --output"
                    : "\(archive) can't be made: \(errorText(errno)); name another with --output")
        }
        do {
            try pack(name, into: FileHandle(fileDescriptor: file, closeOnDealloc: true))
        } catch {
            unlink(archive)
            throw error
        }
        guard !format.json else {
            var object = JSONObject()
            object.add("file", archive)
            return Output.line(object.text)
        }
        Output.line("\(archive): look through it before you pass it on")
    }

    /// Gathers everything in a folder, and writes that as an archive.
    private func pack(_ name: String, into file: FileHandle) throws {
        umask(0o077)
        let manager = FileManager.default
        let folder = manager.temporaryDirectory.appending(path: UUID().uuidString)
        defer {
            do {
                try manager.removeItem(at: folder)
            } catch {
                Output.error("m2m: \(folder.path) is left behind: \(error.localizedDescription)")
            }
        }
        let inner = folder.appending(path: name)
        try manager.createDirectory(at: inner, withIntermediateDirectories: true)
        for part in DiagPart.all(configuration: agentConfiguration) {
            try Data(Redaction.apply(to: part.text).utf8).write(to: inner.appending(path: part.name))
        }
        let packed = ShortCommand(["tar", "--create", "--gzip", "--directory", folder.path, name]).result(into: file)
        guard packed.status == 0 else { throw Refusal("the archive can't be written: \(packed.text)") }
    }

    /// Why nothing was packed.
    private struct Refusal: ExplainedError {
        let description: String

        init(_ description: String) {
            self.description = description
        }

        var code: ErrorCode { .conflict }
        var resource: String { "" }
    }
}

/// A file of the archive.
private struct DiagPart {
    /// Its name.
    let name: String
    /// What is in it, secrets and all.
    let text: String

    private init(_ name: String, commands: [[String]]) {
        self.name = name
        text = commands.map { "$ \($0.joined(separator: " "))\n\(ShortCommand($0).result().text)\n" }
            .joined(separator: "\n")
    }

    /// All of them.
    static func all(configuration: String?) -> [DiagPart] {
        let agent = AgentProgram.path ?? "m2m-agent"
        let manager = FileManager.default
        let own = (try? manager.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "m2m"  // safe: by its name
        let units = ["m2m-agent", "m2m-keeper", "m2m-router"]
        let option = configuration.map { ["--config", $0] } ?? []
        let file = configuration ?? "/etc/m2m-agent/agent.toml"
        return [
            DiagPart("doctor.txt", commands: [[agent, "doctor"] + option]),
            DiagPart("check.txt", commands: [[agent, "version"], [agent, "check"] + option]),
            DiagPart(
                "status.txt",
                commands: [["status"], ["describe"], ["probe"], ["integrity"]].map { [own] + $0 + ["--json"] }),
            DiagPart("keeper.txt", commands: [["m2m-keeper", "status"]]),
            DiagPart("agent.toml", commands: [["head", "--bytes=1000000", file]]),
            DiagPart(
                "log.txt",
                commands: [
                    ["journalctl", "--no-pager", "--output=short-iso", "--lines=5000"] + units.map { "--unit=\($0)" }
                ]),
            DiagPart(
                "units.txt",
                commands: [
                    ["systemctl", "status", "--no-pager", "--full", "--lines=0"] + units,
                    ["systemctl", "cat", "--no-pager"] + units, ["dpkg-query", "--list", "m2m*"],
                ]),
            DiagPart(
                "machine.txt",
                commands: [
                    ["uname", "-a"], ["cat", "/proc/device-tree/model"], ["cat", "/etc/os-release"],
                    ["cat", "/proc/cmdline"], ["uptime"], ["df", "-h"], ["cat", "/proc/meminfo"], ["timedatectl"],
                    ["ip", "-brief", "address"], ["ls", "-l", "/dev"],
                    ["head", "--bytes=100000", "/boot/firmware/config.txt"],
                ]),
            DiagPart("kernel.txt", commands: [["dmesg"]]),
        ]
    }
}

/// A command that is soon at its end, for what it says.
private struct ShortCommand {
    private let words: [String]

    init(_ words: [String]) {
        self.words = words
    }

    /// Runs it, for two minutes at most: a doctor who waits for many takes one.
    ///
    /// - Parameter file: Where its output goes; nil: into the text, with what it says of its mistakes.
    /// - Returns: Its exit status, and what it has said.
    func result(into file: FileHandle? = nil) -> (status: Int32, text: String) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["timeout", "120"] + words
        process.standardInput = FileHandle.nullDevice
        process.standardError = pipe
        if let file { process.standardOutput = file } else { process.standardOutput = pipe }
        do {
            try process.run()
        } catch {
            return (-1, error.localizedDescription)
        }
        let bytes = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }
}
