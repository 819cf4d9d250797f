import DeviceManager
import DeviceModel

/// The agent itself: its file, its process, and what it says of its parts.
extension Examination {
    func configuration() -> [Finding] {
        let file = patient.configurationFile
        switch patient.configuration {
        case .right(let settings, _):
            let many = settings.components.count
            return [
                Finding(
                    .configuration, .good,
                    "\(file) is right: \(settings.id), with \(many) component\(many == 1 ? "" : "s")")
            ]
        case .missing where file == AgentConfiguration.usualFile:
            return [
                Finding(
                    .configuration, .fault, "there is no \(file)",
                    cause: "the package brings one; it was removed, or the package is not installed",
                    cure: "sudo cp /usr/share/doc/m2m-agent/examples/agent.toml /etc/m2m-agent/")
            ]
        case .missing:
            return [Finding(.configuration, .fault, "there is no \(file)", cure: "name another file with --config")]
        case .unreadable: return [hidden(.configuration, file)]
        case .wrong(let mistakes):
            return mistakes.map {
                Finding(
                    .configuration, .fault, $0,
                    cure:
                        "mend \(file) there; then: sudo m2m-agent check\(patient.option) && sudo systemctl reload-or-restart m2m-agent"
                )
            }
        }
    }

    func agent() async -> [Finding] {
        let unit = await unit("m2m-agent")
        if case .refused(let reason) = patient.silence {
            return [
                Finding(.agent, .note, "the agent does not answer this user", cause: reason, cure: "sudo m2m doctor")
            ]
        }
        guard let answers = patient.agent else { return [silent(unit)] }
        let uptime = Duration.seconds(answers.status.uptime.components.seconds).text
        var findings = [Finding(.agent, .good, "\(answers.status.software) has been running for \(uptime)")]
        if let unit, unit.isInstalled, !unit.isEnabled {
            findings.append(
                Finding(
                    .agent, .warning, "m2m-agent is not started at boot", cause: "its unit is \(unit.enabled)",
                    cure: "sudo systemctl enable m2m-agent"))
        }
        findings += answers.status.notes.filter { $0.hasPrefix("the device is disabled") }.map { note in
            Finding(
                .agent, .fault, note,
                cause: "it disables itself when its files are not as approved, or its owner wants it",
                cure: "m2m integrity \(answers.status.device) show; then, by its owner: m2m integrity "
                    + "\(answers.status.device) approve && m2m integrity \(answers.status.device) enable")
        }
        return findings
    }

    /// Why an agent says nothing.
    private func silent(_ unit: Unit?) -> Finding {
        var reason = "nobody listens on its socket"
        switch patient.silence {
        case .dead(let words), .refused(let words): reason = words
        case .hung(let words):
            let isUnit = unit?.active == "active"
            return Finding(
                .agent, .fault, "the agent runs and does not answer", cause: words,
                cure: isUnit
                    ? "sudo systemctl restart m2m-agent"
                    : "end its process with kill -9; then: m2m-agent run\(patient.option)")
        case nil: break
        }
        guard let unit, unit.isInstalled else {
            return Finding(
                .agent, .fault, "the agent does not answer", cause: reason,
                cure: "m2m-agent run\(patient.option), or install its package: sudo apt install ./m2m-agent_*.deb")
        }
        switch unit.active {
        case "active":
            return Finding(
                .agent, .fault, "m2m-agent runs and does not answer", cause: reason,
                cure: machine.isRoot ? "sudo systemctl restart m2m-agent" : "sudo m2m doctor")
        case "activating", "failed":
            return Finding(
                .agent, .fault, "m2m-agent ends again and again", cause: "\(unit.result); its log says why",
                cure: "journalctl --unit m2m-agent --lines 20")
        default:
            return Finding(
                .agent, .fault, "m2m-agent does not run", cause: "its unit is \(unit.active), and \(unit.enabled)",
                cure: unit.start("m2m-agent"))
        }
    }

    func components() -> [Finding] {
        guard let status = patient.agent?.status else {
            return [Finding(.components, .note, "how they are only a running agent can tell")]
        }
        // What is not there was said at its bus.
        let absent = Set(missingTargets().map(\.component))
        let ill = status.components.filter { $0.problem != nil && !absent.contains($0.id) }
        guard !ill.isEmpty else {
            let many = status.components.count - absent.count
            return [Finding(.components, .good, many == 1 ? "1 works" : "\(many) work")]
        }
        return ill.map { component in
            Finding(
                .components, .fault, "\(component.id) (\(component.model)) does not work", cause: component.problem,
                cure: "m2m probe shows who holds its line, and what answers on its bus")
        }
    }

    func store() -> [Finding] {
        var findings: [Finding] = []
        if let folder = patient.settings?.stateDirectory {
            let names = machine.names(in: folder)
            findings += names.filter { $0.hasSuffix(".damaged") }.map { name in
                // Each by its name: the folder is closed to whoever types it, and to their shell.
                let files = names.filter { $0.hasPrefix(name) }.sorted().map { "\(folder)/\($0)".shellWord }
                return Finding(
                    .store, .warning, "\(folder)/\(name) is a database that was damaged, and set aside",
                    cause: "a power cut on a bad card, as a rule; another one was begun in its place",
                    cure: "sudo rm \(files.joined(separator: " "))")
            }
        }
        guard let store = patient.agent?.status.store else {
            return findings + [Finding(.store, .note, "how it is only a running agent can tell")]
        }
        if let problem = store.problem {
            findings.append(
                Finding(
                    .store, .fault, "the store does not work", cause: problem,
                    cure: "see disk; then: sudo systemctl restart m2m-agent"))
        }
        if store.dropped > 0 {
            findings.append(
                Finding(
                    .store, .warning, "\(store.dropped) observations were dropped since the agent started",
                    cause: "the store, or the queue before it, was full",
                    cure: "a larger max_size at [store] in \(patient.configurationFile), or a card that writes faster"))
        }
        guard findings.isEmpty else { return findings }
        return [Finding(.store, .good, "\(store.kept) observations are kept, in \(store.bytes / 1024) kB")]
    }

    func integrity() -> [Finding] {
        guard patient.agent != nil else {
            return [Finding(.integrity, .note, "how it is only a running agent can tell")]
        }
        guard let integrity = patient.agent?.integrity, integrity.state != .off else {
            return [
                Finding(
                    .integrity, .note, "no files are watched",
                    cure:
                        "[integrity] in \(patient.configurationFile) lets some be, as /usr/share/doc/m2m-agent/Integrity.md.gz says"
                )
            ]
        }
        let device = patient.agent?.status.device.rawValue ?? "DEVICE"
        var findings = integrity.problems.map { Finding(.integrity, .warning, $0) }
        switch integrity.state {
        case .off: break
        case .starting: findings.append(Finding(.integrity, .note, "files are looked at for the first time"))
        case .window: findings.append(Finding(.integrity, .note, "changes of files are collected: a window is open"))
        case .waiting:
            findings.append(
                Finding(
                    .integrity, .warning, "what files are meant to be is not known",
                    cause: "the device is not commanded until its router has said something about it",
                    cure: "see router; then: m2m integrity \(device) show"))
        case .intact where integrity.counter == 0:
            findings.append(
                Finding(
                    .integrity, .warning, "nobody has approved \(integrity.files) files yet",
                    cause: "until then a device that is exchanged, or set back, is not noticed",
                    cure: "m2m integrity \(device) approve, by its owner"))
        case .disabled where integrity.changes == 0:
            findings.append(
                Finding(
                    .integrity, .fault, "the device is disabled", cause: integrity.disabledBecause,
                    cure: "m2m integrity \(device) enable, by its owner"))
        case .intact:
            findings.append(Finding(.integrity, .good, "\(integrity.files) files are as approved"))
        case .changed, .disabled:
            findings.append(
                Finding(
                    .integrity, .fault,
                    integrity.changes == 1
                        ? "1 file is not as approved" : "\(integrity.changes) files are not as approved",
                    cause: integrity.disabledBecause ?? "somebody has changed them",
                    cure: "m2m integrity \(device) show; where that was you: m2m integrity \(device) approve"))
        }
        return findings
    }
}
