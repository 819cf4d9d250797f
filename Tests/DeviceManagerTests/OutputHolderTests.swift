import Components
import DeviceModel
import Glibc
import HAL
import HALTestKit
import TestSupport
import Testing

@testable import DeviceManager

/// Promises that an agent which is restarted goes on with its outputs where another one holds their lines, without an
/// edge, and makes safe whatever nobody can answer for; and that it hears what that other one does by itself.
@Suite(.timeLimit(.minutes(1))) struct OutputHolderTests {
    private let folder: TemporaryDirectory
    private let time = ManualTime()

    init() throws {
        folder = try TemporaryDirectory()
    }

    private var journal: String { folder.file("run/outputs.journal") }

    /// So seldom that no test hears it.
    private static let seldom: Duration = .seconds(100_000)

    private func pump(
        _ holder: TestHolder, time: ManualTime? = nil, agentLost: String = "{ hold = \"5s\" }"
    ) throws -> ManagedDevice {
        try ManagedDevice(
            """
            [components.pump]
            model = "relay"
            line = "GPIO5"
            safe = "off"
            on_agent_lost = \(agentLost)
            """, time: time ?? self.time, holder: holder, journal: journal)
    }

    /// Runs an agent that switches the pump on, and stops it.
    private func switchOn(_ lease: Lease? = nil, agentLost: String = "{ hold = \"5s\" }") async throws -> TestHolder {
        let holder = TestHolder(heartbeat: Self.seldom)
        let device = try pump(holder, agentLost: agentLost)
        try await device.run { () async throws in
            try await device.reading("pump", "on", .boolean(false))
            #expect(await device.perform("pump", "on", by: "anna", lease: lease).status == .done)
        }
        let isLeft = agentLost != "\"safe\""
        #expect(!holder.ranUnconfigured)
        #expect(device.manager.farewell.hasPrefix(isLeft ? "the keeper leaves pump on for 5" : "outputs are safe"))
        return holder
    }

    // MARK: A restart

    @Test("What an output is to be is written down before its line is driven")
    func journalFirst() async throws {
        let journal = journal
        let seen = Mailbox<String>(bound: 8, policy: .refuseNewest)
        let holder = TestHolder(heartbeat: Self.seldom) {
            let bytes = (try? SafeFile.read(journal)) ?? []  // safe: nothing is what the test then finds
            seen.send(String(decoding: bytes, as: UTF8.self))
        }
        let device = try pump(holder)
        try await device.run { () async throws in
            try await device.reading("pump", "on", .boolean(false))
            let lease = Lease(id: "l", duration: .seconds(600))
            #expect(await device.perform("pump", "on", by: "anna", lease: lease).status == .done)
            let text = try #require(await seen.next())
            #expect(text.hasPrefix("m2m-agent outputs 2\nboot \(device.time.boot)\n"))
            #expect(text.contains("\noutput pump wanted=active cause=switched%20on%20by%20anna%20on%20the%20device "))
            #expect(text.contains(" lease=l "))
            #expect(OutputJournal(text: text) != nil)
        }
    }

    @Test("At a restart under a running pump its line is driven neither by who goes nor by who comes")
    func restart() async throws {
        #expect(try await switchOn().drives == [.drove("pump", .active)])
        let holder = TestHolder(heartbeat: Self.seldom, found: ["pump": FoundOutput(value: .active)])
        let device = try pump(holder)
        try await device.run { () async throws in
            #expect(try await device.reading("pump", "on").value == .boolean(true))
            await device.settled()
            #expect(
                device.values("pump") == [
                    "on": .boolean(true), "wanted": .boolean(true), "holder": .text(""), "until": .text(""),
                    "reason": .text("switched on by anna on the device"), "switches": .integer(1),
                    "refusals": .integer(0), "lease_ends": .integer(0), "keeper_interventions": .integer(0),
                ])
            #expect(holder.deeds == [.took("pump")])
            #expect(await device.perform("pump", "off").status == .done)
            #expect(holder.drives == [.drove("pump", .inactive)])
        }
    }

    @Test("A lease outlasts a restart: it is the same person's, ends when it would have, and the holder is told so")
    func leaseOutlastsRestart() async throws {
        let begin = time.now
        _ = try await switchOn(Lease(id: "l", duration: .seconds(600)))
        let holder = TestHolder(heartbeat: Self.seldom, found: ["pump": FoundOutput(value: .active)])
        let device = try pump(holder)
        try await device.run { () async throws in
            try await device.reading("pump", "holder", .text("anna on the device"))
            #expect(await device.perform("pump", "on", by: "ben").status == .refused)
            let end = try #require(holder.deadline("pump"))
            #expect(end >= begin + .seconds(600) && end <= device.time.now + .seconds(600))
            #expect(holder.drives == [.drove("pump", .active)])  // which changes the deadline alone
            #expect(await device.renew("pump", "l", .seconds(900)).status == .done)
            device.pass(.seconds(900))
            try await device.reading("pump", "reason", .text("the lease of anna on the device has ended"))
            try await device.reading("pump", "switches", .integer(2))
            #expect(holder.drives.last == .drove("pump", .inactive))
        }
    }

    @Test("A lease that ended between two agents ends with the new one's first look")
    func leaseEndedBetween() async throws {
        _ = try await switchOn(Lease(id: "l", duration: .seconds(600)))
        time.advance(by: .seconds(700))
        let holder = TestHolder(heartbeat: Self.seldom, found: ["pump": FoundOutput(value: .active)])
        let device = try pump(holder)
        try await device.run { () async throws in
            try await device.reading("pump", "reason", .text("the lease of anna on the device has ended"))
            try await device.reading("pump", "on", .boolean(false))
            #expect(holder.drives == [.drove("pump", .inactive)])
        }
    }

    enum Past: CaseIterable {
        case otherBoot, noJournal, damaged, otherOutput
    }

    @Test("A journal that could not be written is written as soon as that is possible")
    func journalLater() async throws {
        try folder.write("run", "a file where the folder should be")
        let holder = TestHolder(heartbeat: Self.seldom)
        let device = try pump(holder)
        let journal = journal
        let blocked = folder.file("run")
        try await device.run { () async throws in
            try await device.reading("pump", "on", .boolean(false))
            #expect(await device.perform("pump", "on").status == .done)
            #expect(!SafeFile.exists(journal))
            unlink(blocked)
            device.pass(.seconds(1))
            await device.settled()
            let text = String(decoding: try #require(try SafeFile.read(journal)), as: UTF8.self)
            #expect(OutputJournal(text: text)?.entries["pump"]?.claim.wanted == .active)
        }
    }

    @Test("What is found away from safe and nobody can answer for is made safe", arguments: Past.allCases)
    func unknown(past: Past) async throws {
        _ = try await switchOn()
        let text = String(decoding: try #require(try SafeFile.read(journal)), as: UTF8.self)
        switch past {
        case .otherBoot: break
        case .noJournal: try SafeFile.write([], to: journal)
        case .damaged: try SafeFile.write(text.dropLast(5).utf8, to: journal)
        case .otherOutput:
            let body = text.replacing("output pump", with: "output other").split(separator: "\n").dropLast()
                .map { "\($0)\n" }.joined()
            try SafeFile.write("\(body)end \(Checksum.of(body).text)\n".utf8, to: journal)
        }
        let holder = TestHolder(heartbeat: Self.seldom, found: ["pump": FoundOutput(value: .active)])
        let device = try pump(holder, time: past == .otherBoot ? ManualTime(boot: 2) : time)
        try await device.run { () async throws in
            let words = "found away from safe, and nobody knows why: made safe"
            try await device.reading("pump", "reason", .text(words))
            try await device.reading("pump", "on", .boolean(false))
            #expect(holder.deeds == [.took("pump"), .drove("pump", .inactive)])
        }
    }

    @Test("What the keeper made safe between two agents stays so, and is counted")
    func madeSafeBetween() async throws {
        _ = try await switchOn()
        let found = FoundOutput(value: .inactive, reason: .agentLost)
        let holder = TestHolder(heartbeat: Self.seldom, found: ["pump": found])
        let device = try pump(holder)
        try await device.run { () async throws in
            try await device.reading("pump", "reason", .text("the keeper made it safe: the agent was gone"))
            await device.settled()
            #expect(device.values("pump")["keeper_interventions"] == .integer(1))
            #expect(holder.drives == [])
        }
    }

    @Test("An agent that stops makes safe what may not outlast it, whoever holds its line")
    func stops() async throws {
        let holder = try await switchOn(agentLost: "\"safe\"")
        #expect(holder.deeds == [.took("pump"), .drove("pump", .active), .drove("pump", .inactive), .released("pump")])
    }

    @Test("Without somebody who outlives it, an agent that stops makes everything safe")
    func stopsAlone() async throws {
        let holder = TestHolder(heartbeat: nil)
        let device = try pump(holder)
        try await device.run { () async throws in
            try await device.reading("pump", "on", .boolean(false))
            #expect(await device.perform("pump", "on").status == .done)
        }
        #expect(holder.drives == [.drove("pump", .active), .drove("pump", .inactive)])
        #expect(device.stored("pump", "on").last == .boolean(false))
    }

    // MARK: What the holder does by itself

    @Test("While an output is away from safe its holder hears of the agent, and only then")
    func beats() async throws {
        let holder = TestHolder(heartbeat: .milliseconds(500))
        let device = try pump(holder)
        try await device.run { () async throws in
            try await device.reading("pump", "on", .boolean(false))
            device.time.advance(by: .seconds(60))
            await device.settled()
            #expect(holder.beats == 0)
            #expect(await device.perform("pump", "on").status == .done)
            await device.settled()
            let begin = holder.beats
            for _ in 0..<10 {
                device.time.advance(by: .milliseconds(500))
                await device.settled()
            }
            #expect(holder.beats >= begin + 9)
            #expect(await device.perform("pump", "off").status == .done)
            await device.settled()
            let end = holder.beats
            device.time.advance(by: .seconds(60))
            await device.settled()
            #expect(holder.beats == end)
        }
    }

    @Test("What the holder made safe is told with its reason, and not switched on again")
    func madeSafe() async throws {
        let holder = TestHolder(heartbeat: Self.seldom)
        let device = try pump(holder)
        try await device.run { () async throws in
            try await device.reading("pump", "on", .boolean(false))
            #expect(await device.perform("pump", "on").status == .done)
            holder.tell(.madeSafe("pump", .agentSilent))
            try await device.reading("pump", "reason", .text("the keeper made it safe: the agent did not answer"))
            await device.settled()
            let values = device.values("pump")
            #expect(values["on"] == .boolean(false) && values["wanted"] == .boolean(false))
            #expect(values["keeper_interventions"] == .integer(1))
            #expect(await device.perform("pump", "on").status == .done)
        }
        #expect(holder.drives == [.drove("pump", .active), .drove("pump", .active)])
    }

    @Test("When the holder is gone commands fail at once with its words; when it is back its outputs are taken anew")
    func lostAndBack() async throws {
        let holder = TestHolder(heartbeat: Self.seldom)
        let device = try pump(holder)
        try await device.run { () async throws in
            try await device.reading("pump", "on", .boolean(false))
            holder.tell(.lost(nil, "the keeper has ended"))
            var reading = try await device.reading("pump", "on")
            #expect(reading.quality == .failed)
            #expect(reading.reason == "the keeper has ended")
            // It is taken anew by itself, and again when there is word of it.
            reading = try await device.reading("pump", "on")
            #expect(reading.quality == .good)
            #expect(reading.value == .boolean(false))
            #expect(holder.deeds == [.took("pump"), .released("pump"), .took("pump")])
            holder.tell(.back)
            await device.settled()
            #expect(await device.perform("pump", "on").status == .done)
        }
    }
}
