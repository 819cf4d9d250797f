import ArgumentParser
import Client
import DeviceModel
import Terminal
import Wire

struct IntegrityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "integrity", abstract: "See whether a device's files are as approved, and approve them.",
        usage: """
            m2m integrity [DEVICE] status
            m2m integrity [DEVICE] show
            m2m integrity DEVICE approve [--manifest FILE]
            m2m integrity DEVICE enable [--response alert|disable]
            m2m integrity DEVICE window 10m
            """,
        discussion: """
            status shows how the watch over the files is, and show how they differ from what was approved. The rest is the \
            owner's, through the router, with the security code unless it was given within the last five minutes: \
            approve says that the files are meant to be as they are shown; with a signed manifest, that they are to be as \
            a release makes them, which needs no code; enable lets a device be commanded again that \
            has disabled itself; window collects changes for a while without an alarm, for an update, after which you \
            approve them (0s ends it).
            """)

    @Argument(help: "The device, where it is not this one; then what to do; then, for window, for how long.")
    var words: [String] = ["status"]

    @Option(help: "With enable: what happens from now on when a file is not as approved.")
    var response: Response?

    @Option(help: "With approve: the signed manifest of a release, whose changes are then no alarm.")
    var manifest: String?

    @OptionGroup var format: Format

    enum Response: String, ExpressibleByArgument, CaseIterable {
        case alert, disable
    }

    /// What is to be done.
    private enum Verb: String, CaseIterable {
        case status, show, approve, enable, window
    }

    func validate() throws {
        _ = try parsed()
    }

    private func parsed() throws -> (device: DeviceID?, verb: Verb, length: Duration?) {
        var rest = words[...]
        var device: DeviceID?
        // A device may be called as a verb is, but then a verb follows.
        let isVerb = rest.first.map { Verb(rawValue: $0) != nil } ?? false
        if !isVerb || rest.dropFirst().first.map({ Verb(rawValue: $0) != nil }) ?? false {
            let name = rest.removeFirst()
            guard let id = DeviceID(rawValue: name) else {
                throw ValidationError("'\(name)' is neither a device nor something to do; a device is \(DeviceID.rule)")
            }
            device = id
        }
        let word = rest.popFirst() ?? "status"
        guard let verb = Verb(rawValue: word) else {
            let known = Verb.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("'\(word)' is nothing that can be done here; there is \(known)")
        }
        var length: Duration?
        if verb == .window {
            guard let text = rest.popFirst() else {
                throw ValidationError("say for how long the window is open, such as `window 10m`; `window 0s` ends it")
            }
            guard let span = TimeSpan(argument: text) else {
                throw ValidationError("'\(text)' is no length of time; write a number and its unit, such as 10m or 2h")
            }
            length = span.duration
        }
        if let extra = rest.first, device == nil, DeviceID(rawValue: extra) != nil {
            throw ValidationError("the device comes first: `m2m integrity \(extra) \(verb.rawValue)`")
        }
        if let extra = rest.first { throw ValidationError("'\(extra)' is one word too many") }
        if manifest != nil, verb != .approve { throw ValidationError("--manifest belongs to approve") }
        if response != nil, verb != .enable { throw ValidationError("--response belongs to enable") }
        if device == nil, verb != .status, verb != .show {
            throw ValidationError(
                "say whose files are meant, as its router knows the device: `m2m integrity DEVICE \(verb.rawValue)`")
        }
        return (device, verb, length)
    }

    func run() async throws {
        let (device, verb, length) = try parsed()
        var connection = try await Place.of(Address(device: device))
        switch (verb, device) {
        case (.approve, let device?):
            if let manifest {
                let text = try Self.text(of: manifest)
                format.show(try await connection.ask(.integrity(.release(device, manifest: text))))
            } else {
                try await approve(device, &connection)
            }
        case (.enable, let device?):
            try await ask(.enable(device, response.flatMap { IntegrityResponse(rawValue: $0.rawValue) }), &connection)
        case (.window, let device?): try await ask(.window(device, length ?? .zero), &connection)
        case (.show, _):
            let items = try await connection.ask(.integrity(.changes(device)))
            format.show(items)
        default: format.show(try await connection.ask(.integrity(.status(device))))
        }
        await connection.close()
    }

    private static func text(of manifest: String) throws -> String {
        guard let bytes = try SafeFile.read(manifest, limit: ReleaseManifest.limit) else {
            throw Failure(.notFound, "there is no file \(manifest); a release comes with its manifest")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func ask(_ request: IntegrityRequest, _ connection: inout ClientConnection) async throws {
        format.show(try await connection.ask(.integrity(request), code: Place.code))
    }

    /// Shows what there is to approve, and approves that: what has changed again meanwhile is not.
    private func approve(_ device: DeviceID, _ connection: inout ClientConnection) async throws {
        let items = try await connection.ask(.integrity(.changes(device)))
        let changes = items.filter { if case .change = $0 { true } else { false } }
        guard case .integrity(let report)? = items.last, let root = report.status?.found else {
            throw Failure(.conflict, "\(device) does not watch over its files; [integrity] in agent.toml lets it")
        }
        if report.approval?.root == root, report.approval?.objection == nil, report.approval?.next == nil {
            return format.json
                ? format.show([.integrity(report)]) : Output.line("\(device): the files are as approved already")
        }
        if !format.json {
            changes.forEach { Output.line($0.line) }
            let many = changes.count == 1 ? "1 change" : "\(changes.count) changes"
            let more = changes.reduce(0) { sum, item in
                guard case .change(let one) = item else { return sum }
                return sum + (one.change.before == nil ? 1 : 0) - (one.change.now == nil ? 1 : 0)
            }
            let files = (report.status?.files ?? 0) + more
            Output.line(
                report.approval?.root == nil
                    ? "approving \(files == 1 ? "1 file" : "\(files) files") of \(device), for the first time"
                    : "approving \(many) on \(device)")
        }
        let answer = try await connection.ask(.integrity(.approve(device, root: root)), code: Place.code)
        format.show(format.json ? changes + answer : answer)
    }
}
