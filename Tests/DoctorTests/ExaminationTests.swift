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
        device.patient.configuration = .unreadable
        device.machine.hiddenFiles = ["/proc/42/io"]
        let findings = await device.findings()
        #expect(findings.allSatisfy { $0.severity <= .note }, "\(findings.flatMap(\.lines))")
        #expect(findings.contains { $0.place == .configuration && $0.cure == "sudo m2m doctor" })
    }

    @Test("An agent that does not answer this user is no fault of the device's") func refused() async throws {
        var device = try SoundDevice()
        device.patient.agent = nil
        device.patient.silence = .refused("user pi may not read anything here")
        device.machine.isRoot = false
        let findings = await device.findings()
        #expect(findings.allSatisfy { $0.severity <= .note }, "\(findings.flatMap(\.lines))")
        #expect(findings.contains { $0.place == .agent && $0.cure == "sudo m2m doctor" })
    }

    @Test("The drop-in with which files are watched by fanotify is not complained of") func fanotify() async throws {
        var device = try SoundDevice()
        device.patient.agent?.integrity?.mode = "fanotify"
        device.machine.exposure["m2m-agent"] = "2.4 OK :-)"
        #expect(await device.findings().exitStatus == .done)
    }

    @Test("Of another sensor nobody makes a BMP280, nor of one what two could be") func foreign() async throws {
        var device = try SoundDevice()
        device.patient.board?.buses[0].targets[0].address = 0x3C
        let finding = try #require(await device.findings().first { $0.place == .i2c })
        #expect(finding.cure?.contains("see to the wires") == true, "\(finding.lines)")
        try device.configure(
            "[components.heater]", "[components.cellar]\nmodel = \"bmp280\"\naddress = 0x77\n[components.heater]")
        device.patient.board?.buses[0].targets = []
        #expect(await device.findings().count { $0.cure?.contains("see to the wires") == true } == 2)
    }

    @Test("Trouble on a bus of which nobody has said a word is none") func monitor() async throws {
        var device = try SoundDevice()
        device.patient.board?.problems = ["/dev/i2c-20 does not answer: it is stuck"]
        #expect(await device.findings().exitStatus == .done)
    }

    @Test("A masked unit is unmasked before it is started") func masked() async throws {
        var device = try SoundDevice()
        device.machine.units["m2m-keeper"] = "LoadState=masked\nActiveState=inactive\nUnitFileState=masked\n"
        let finding = try #require(await device.findings().first { $0.place == .keeper })
        #expect(finding.cure == "sudo systemctl unmask m2m-keeper && sudo systemctl enable --now m2m-keeper")
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
