import DeviceModel
import Doctor
import Testing
import Transport

@Suite(.timeLimit(.minutes(1))) struct ExaminationTests {
    @Test("Where all is well, every place was looked at, and there is nothing to mend") func sound() async throws {
        let findings = try await SoundDevice().findings()
        #expect(findings.allSatisfy { $0.severity == .good }, "\(findings.flatMap(\.lines))")
        #expect(Set(findings.map(\.place)) == Set(Finding.Place.allCases))
        #expect(findings.exitStatus == .done)
        #expect(findings.summary == "nothing to mend")
    }

    @Test("Places come in their order") func order() async throws {
        let places = try await SoundDevice().findings().map(\.place)
        let order = Finding.Place.allCases
        #expect(places.reduce(into: [Finding.Place]()) { if $0.last != $1 { $0.append($1) } } == order)
    }

    @Test("A set-up that is broken is named, with its cause and its cure", arguments: BrokenSetup.all)
    func broken(_ setup: BrokenSetup) async throws {
        var device = try SoundDevice()
        try setup.breakIt(&device)
        let findings = await device.findings()
        let found = findings.filter { $0.place == setup.place && $0.severity == setup.severity }
        let named = found.first { $0.finding.contains(setup.finding) }
        let finding = try #require(named, "\(findings.flatMap(\.lines))")
        #expect(finding.cause?.contains(setup.cause) ?? setup.cause.isEmpty, "\(finding.lines)")
        #expect(finding.cure?.contains(setup.cure) ?? setup.cure.isEmpty, "\(finding.lines)")
        #expect(findings.exitStatus == (setup.severity == .fault ? .failed : .warned))
        // One thing that is broken is not complained of in all places.
        let others = findings.filter { $0.severity >= .warning && $0.place != setup.place }
        #expect(others.map(\.place) == setup.alsoAt, "\(others.flatMap(\.lines))")
    }

    @Test("Without the rights to look it says so, and calls nothing broken") func hidden() async throws {
        var device = try SoundDevice()
        device.patient.configuration = .unreadable("Permission denied")
        device.machine.hiddenFiles = ["/proc/42/io"]
        let findings = await device.findings()
        #expect(findings.allSatisfy { $0.severity <= .note }, "\(findings.flatMap(\.lines))")
        #expect(findings.contains { $0.place == .configuration && $0.cure == "sudo m2m doctor" })
    }

    @Test("A simulated board has no chips, no firmware and no watchdog to be looked at") func simulated() async throws {
        var device = try SoundDevice()
        try device.configure("[router]", "[board]\nkind = \"simulated\"\n[router]")
        device.machine.folders = [:]
        device.machine.nodes = [:]
        device.machine.files = ["/proc/42/io": "write_bytes: 1\n"]
        device.machine.units = [:]
        let findings = await device.findings()
        #expect(findings.allSatisfy { $0.severity <= .note }, "\(findings.flatMap(\.lines))")
        #expect(findings.exitStatus == .done)
    }

    @Test("The worst of the findings decides how the program ends") func exitStatus() {
        #expect([Finding(.clock, .note, "a"), Finding(.dns, .good, "b")].exitStatus == .done)
        #expect([Finding(.clock, .warning, "a"), Finding(.dns, .note, "b")].exitStatus == .warned)
        #expect([Finding(.clock, .warning, "a"), Finding(.dns, .fault, "b")].exitStatus == .failed)
        #expect([Finding(.clock, .warning, "a"), Finding(.dns, .fault, "b")].summary == "1 fault, 1 warning")
    }
}
