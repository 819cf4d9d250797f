import Glibc
import TestSupport

extension GreenhouseFile.Edit {
    /// A keeper holds the output lines.
    static let keeper = Self(
        "[board]\nkind",
        """
        [keeper]
        socket = "keeper.sock"
        table = "outputs.table"
        journal = "outputs.journal"

        [board]
        kind
        """)
    /// The heater stays as it is for a while when the agent is gone: longer than any test takes.
    static let holds = onAgentLost("{ hold = \"10m\" }")

    /// What the heater does when the agent is gone.
    static func onAgentLost(_ value: String) -> Self {
        Self("safe = \"off\"\n", "safe = \"off\"\non_agent_lost = \(value)\n")
    }

    /// One more component, at the end of the file.
    static func component(_ text: String) -> Self {
        Self("[components.host]", "\(text)\n\n[components.host]")
    }

    /// One more relay, on GPIO6.
    static let pump = component(
        """
        [components.pump]
        model = "relay"
        line = "GPIO6"
        safe = "off"
        on_link_lost = { do = "hold" }
        """)
}

extension Household {
    /// The table that the agent writes and the keeper reads.
    var keeperTable: String { folder.file("greenhouse/outputs.table") }
    /// Where the keeper listens.
    var keeperSocket: String { folder.file("greenhouse/keeper.sock") }
    /// What the agent writes down of its outputs.
    var journal: String { folder.file("greenhouse/outputs.journal") }
    /// Where the keeper's simulated chip writes down each change of a line.
    private var edgeLog: String { folder.file("edges") }

    /// Starts a keeper, and waits until it holds what its table says.
    func startKeeper() async throws -> Program {
        let keeper = try startKeeperOnly()
        try await keeper.errors.next("word of its outputs") { $0.contains(/holds \d+ of \d+ outputs/) }
        return keeper
    }

    /// Starts a keeper.
    func startKeeperOnly() throws -> Program {
        try start(
            Made.simulatedKeeper.path, ["run", "--table", keeperTable, "--socket", keeperSocket],
            variables: ["M2M_FAKE_CHIPS": "simulated-header:28:GPIO%", "M2M_FAKE_LOG": edgeLog])
    }

    /// A device without a router whose outputs are held by a keeper, and work.
    ///
    /// The agent comes first, because it writes the table without which no keeper holds anything.
    ///
    /// - Parameters:
    ///   - edits: What is other than in the fixture.
    ///   - isLinked: Whether it has a router all the same: then it has to be enrolled.
    ///   - variables: What the agent's environment has beside that of all programs.
    /// - Throws: ``HarnessError`` and ``NotInTime`` when it does not come to that.
    /// - Returns: The two programs.
    func keep(
        _ edits: [GreenhouseFile.Edit] = [], isLinked: Bool = false, variables: [String: String] = [:]
    ) async throws -> (agent: Program, keeper: Program) {
        try writeDevice((isLinked ? [] : [.noRouter]) + [.keeper] + edits)
        let agent = try await startAgent(variables: variables)
        try await agent.errors.hold("the keeper does not answer")  // it has written the table before it says so
        let keeper = try await startKeeper()
        try await settleHeater(isOn: false)
        return (agent, keeper)
    }

    /// Waits until the heater can be switched, and is on or off.
    func settleHeater(isOn: Bool) async throws {
        try await untilReading("heater.on") { $0["value"] == .boolean(isOn) && $0["quality"] == "good" }
    }

    /// Waits until a reading is as it should be.
    @discardableResult
    func untilReading(_ property: String, _ isIt: (JSON) -> Bool) async throws -> JSON {
        let outcome = try await m2m("read", property, "--json") { lines in
            try lines.first.map { isIt(try JSON($0)) } ?? false
        }
        return try JSON(outcome.output.first ?? "")
    }

    /// What a property is now.
    func value(_ property: String) async throws -> JSON {
        try done(await m2m("read", property, "--json")).json.first?["value"] ?? .null
    }

    /// What has happened to a line so far, such as `level 1`, in the order in which it happened.
    func edges(_ offset: Int = 5) throws -> [String] {
        try read(edgeLog).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ", maxSplits: 3)
            return words.count == 4 && words[2] == "\(offset)" ? String(words[3]) : nil
        }
    }

    /// When a line was changed so far, in seconds by a clock that nobody sets.
    func edgeTimes(_ offset: Int = 5) throws -> [Double] {
        try read(edgeLog).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            return words.count > 3 && words[2] == "\(offset)" ? Double(words[0]).map { $0 / 1_000_000_000 } : nil
        }
    }

    /// What the keeper says of the heater.
    func keeperStatus() async throws -> JSON {
        let status = try done(await run(Made.simulatedKeeper.path, ["status", "--socket", keeperSocket, "--json"]))
        guard let heater = try status.json.first(where: { $0["output"] == "heater" }) else {
            throw HarnessError(description: "the keeper knows no heater: \(status)")
        }
        return heater
    }

    /// Waits until the keeper says of the heater what it should.
    ///
    /// Each try costs as much as a process: that is the pause between them.
    @discardableResult
    func untilKeeper(_ isIt: (JSON) throws -> Bool) async throws -> JSON {
        let end = ContinuousClock.now + .seconds(patience)
        while true {
            let status = try await keeperStatus()
            if try isIt(status) { return status }
            try Task.checkCancellation()
            guard ContinuousClock.now < end else { throw NotInTime(what: "other status than \(status)") }
        }
    }
}

extension Household {
    /// The text of a file.
    func read(_ path: String) throws -> String {
        guard let file = fopen(path, "r") else { throw HarnessError(description: "\(path) can't be read") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = fgetc(file), byte != EOF { bytes.append(UInt8(truncatingIfNeeded: byte)) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
