public import DeviceModel

/// What was found at one of the places at which a doctor looks.
public struct Finding: Hashable, Sendable {
    /// A place at which a doctor looks.
    public enum Place: String, Sendable, CaseIterable {
        /// The file agent.toml.
        case configuration
        /// The agent, and what it says of itself.
        case agent
        /// The program that holds the outputs.
        case keeper
        /// What the kernel does with a line that nobody holds.
        case gpio
        /// The device nodes of chips and buses, and who may open them.
        case devices
        /// What answers on the buses, beside what is configured.
        case i2c
        /// How the components are.
        case components
        /// What the firmware does with the outputs until a program runs.
        case bootValues = "boot-values"
        /// What restarts a machine that hangs.
        case watchdog
        /// The voltage that the board is fed with.
        case power
        /// The time of day.
        case clock
        /// The router's name.
        case dns
        /// Whether the router is whom it says to be.
        case tls
        /// Whether the router is there, and knows this device.
        case router
        /// The space on the disk.
        case disk
        /// How much is written to the disk.
        case writes
        /// What the agent keeps until its router has it.
        case store
        /// The watch over files.
        case integrity
        /// What the programs are allowed to do.
        case hardening
    }

    /// How bad it is; the later, the worse.
    public enum Severity: String, Sendable, CaseIterable, Comparable {
        /// As it should be.
        case good = "ok"
        /// Not to be told, or of no importance here.
        case note
        /// It works, and may do harm.
        case warning
        /// Something does not work.
        case fault

        /// The less bad is the smaller.
        public static func < (one: Self, other: Self) -> Bool {
            allCases.firstIndex(of: one) ?? 0 < allCases.firstIndex(of: other) ?? 0
        }
    }

    /// Where it was found.
    public var place: Place
    /// How bad it is.
    public var severity: Severity
    /// What was found: a sentence without a full stop.
    public var finding: String
    /// Why it is so, as far as that can be told.
    public var cause: String?
    /// What cures it: a command to be typed, or what to do with one's hands.
    public var cure: String?

    /// Something was found.
    public init(_ place: Place, _ severity: Severity, _ finding: String, cause: String? = nil, cure: String? = nil) {
        self.place = place
        self.severity = severity
        self.finding = finding
        self.cause = cause
        self.cure = cure
    }

    /// The finding as programs read it.
    public var json: JSONObject {
        var object = JSONObject()
        object.add("check", place.rawValue)
        object.add("severity", severity.rawValue)
        object.add("finding", finding)
        object.add("cause", cause.map(Value.text))
        object.add("cure", cure.map(Value.text))
        return object
    }

    /// The finding as people read it: a line, and one more for its cause and for its cure.
    public var lines: [String] {
        let head = "\(padded(severity.rawValue, 8)) \(padded(place.rawValue, 13)) \(finding.onOneLine)"
        let margin = String(repeating: " ", count: 23)
        let more = [("cause: ", cause), ("cure:  ", cure)].compactMap { name, text in
            text.map { margin + name + $0.onOneLine }
        }
        return [head] + more
    }
}

extension Collection<Finding> {
    /// How a program ends that has found these: the worst of them decides.
    public var exitStatus: ExitStatus {
        switch map(\.severity).max() {
        case .fault: .failed
        case .warning: .warned
        case .note, .good, nil: .done
        }
    }

    /// How many there are of what is to be mended, in words.
    public var summary: String {
        let faults = count { $0.severity == .fault }
        let warnings = count { $0.severity == .warning }
        guard faults + warnings > 0 else { return "nothing to mend" }
        return [(faults, "fault"), (warnings, "warning")].filter { $0.0 > 0 }
            .map { "\($0) \($1)\($0 == 1 ? "" : "s")" }.joined(separator: ", ")
    }
}

extension String {
    /// The text without what could command a terminal, or look like another line: some of it comes from afar.
    fileprivate var onOneLine: String {
        var clean = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            clean.append(scalar.properties.generalCategory == .control ? " " : scalar)
        }
        return String(clean)
    }
}

private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: Swift.max(0, width - text.count))
}
