import DeviceManager
import DeviceModel
import HAL
import HALSimulated
import HALTestKit
import TestSupport
import Testing

private let heaterLine = LineReference.name("GPIO5")
private let lampLine = LineReference.name("GPIO6")

/// Promises that a line which fails or hangs is told to whoever needs to know, heals by itself, comes back safe, and
/// stops no other.
@Suite(.timeLimit(.minutes(1))) struct OutputTroubleTests {
    private func device(patience: Duration = .seconds(3_600)) throws -> ManagedDevice {
        try ManagedDevice(
            """
            [components.heater]
            model = "relay"
            line = "GPIO5"
            safe = "off"
            [components.lamp]
            model = "relay"
            line = "GPIO6"
            safe = "off"
            """, patience: patience)
    }

    @Test("A board that fails is told to whoever commanded, in the reading and in the status")
    func boardIsGone() async throws {
        let device = try device()
        try await device.run { () async throws in
            _ = try await device.reading("heater", "on")
            #expect(await device.perform("heater", "on").status == .done)
            device.board.unplug(chip: "simulated-header")
            let result = await device.perform("heater", "off")
            #expect(result.status == .unknown)  // it may have been done before the board was gone
            #expect(result.reason?.contains("simulated-header") == true)
            var reading = try await device.reading("heater", "on")
            while reading.quality == .good { reading = try await device.reading("heater", "on") }
            #expect(reading.quality == .failed)
            #expect(reading.reason?.contains("simulated-header") == true)
            let status = await device.manager.status()
            #expect(status.components.first?.problem?.contains("simulated-header") == true)
            // The lamp's line was not driven since: of that nobody knows anything yet.
            #expect(status.components.last?.problem == nil)
            let again = await device.perform("heater", "on")
            #expect(again.status == .failed)
            #expect(again.reason?.hasPrefix("heater does not work: ") == true)
        }
    }

    @Test("A line that was lost is taken again by itself, and is safe then, whatever was wanted before")
    func lostAndBack() async throws {
        let device = try device()
        try await device.run { () async throws in
            try await device.reading("heater", "on", .boolean(false))
            #expect(await device.perform("heater", "on").status == .done)
            try await device.reading("heater", "on", .boolean(true))
            device.harsh.breaks(heaterLine)
            let failed = await device.perform("heater", "off")
            #expect(failed.status == .unknown)
            #expect(failed.reason?.hasSuffix("line GPIO5 failed; the wire has come off") == true)
            #expect(try await device.reading("heater", "on").quality == .failed)
            // The lamp has a line of its own.
            #expect(await device.perform("lamp", "on").status == .done)
            device.harsh.mend(heaterLine)
            // Until it is tried again, whenever its driver begins to pause.
            let back = try await device.time.passing(by: .seconds(1)) { try await device.reading("heater", "on") }
            #expect(back.value == .boolean(false))
            #expect(try device.board.look(at: heaterLine) == .inactive)
            #expect(try device.board.look(at: lampLine) == .active)
            await device.settled()
            let status = await device.manager.status()
            #expect(status.components.first?.problem == nil)
            #expect(status.components.first?.failures == 1)
            #expect(await device.perform("heater", "on").status == .done)
            #expect(try device.board.look(at: heaterLine) == .active)
        }
    }

    @Test("A command that failed with its line is not done when the line is back, and the reading says why")
    func reasonAfterLoss() async throws {
        let device = try device()
        try await device.run { () async throws in
            try await device.reading("heater", "on", .boolean(false))
            device.harsh.breaks(heaterLine)
            #expect(await device.perform("heater", "on").status == .unknown)
            #expect(await device.perform("heater", "on").status == .failed)
            device.harsh.mend(heaterLine)
            let words = "its line was lost: line GPIO5 failed; the wire has come off"
            try await device.time.passing(by: .seconds(1)) {
                try await device.reading("heater", "reason", .text(words))
            }
            await device.settled()
            let values = device.values("heater")
            #expect(values["on"] == .boolean(false) && values["wanted"] == .boolean(false))
            #expect(try device.board.switches(of: heaterLine) == 0)
        }
    }

    @Test("A line that hangs stops no other; who waits for it is told that nobody knows, and it comes back safe")
    func hangs() async throws {
        let device = try device(patience: .seconds(60))
        try await device.run { () async throws in
            try await device.reading("heater", "on", .boolean(false))
            try await device.reading("lamp", "on", .boolean(false))
            device.harsh.hang(heaterLine)
            async let stuck = device.perform("heater", "on")
            #expect(await device.harsh.hangs.next() == heaterLine)
            for action in ["on", "off", "on"] { #expect(await device.perform("lamp", action).status == .done) }
            #expect(try device.board.look(at: lampLine) == .active)
            device.pass(.seconds(60))
            let unknown = await stuck
            #expect(unknown.status == .unknown)
            #expect(unknown.reason?.hasPrefix("heater has not answered for ") == true)
            #expect(unknown.reason?.hasSuffix("; it may have been done") == true)
            let failed = await device.perform("heater", "off")
            #expect(failed.status == .failed)
            #expect(failed.reason?.hasPrefix("heater does not work: its line has not answered for ") == true)
            #expect(try await device.reading("heater", "on").quality == .failed)
            device.harsh.letGo()
            try await device.reading("heater", "reason", .text("its line had not answered in time"))
            #expect(try await device.reading("heater", "on").quality == .good)
            // It was driven at last, though late; that is undone at once.
            try await device.reading("heater", "switches", .integer(2))
            #expect(try device.board.look(at: heaterLine) == .inactive)
            #expect(await device.perform("heater", "on").status == .done)
            #expect(try device.board.look(at: heaterLine) == .active)
        }
    }

    @Test("What waits behind a drive that hangs is not done later")
    func waitsBehindHanging() async throws {
        let device = try device(patience: .seconds(60))
        try await device.run { () async throws in
            try await device.reading("heater", "on", .boolean(false))
            device.harsh.hang(heaterLine)
            async let stuck = device.perform("heater", "on")
            #expect(await device.harsh.hangs.next() == heaterLine)
            async let late = device.perform("heater", "off", expiry: .seconds(50))
            async let later = device.perform("heater", "toggle", expiry: .seconds(50))
            device.pass(.seconds(60))
            #expect(await stuck.status == .unknown)
            #expect(await late.status != .done)
            #expect(await later.status != .done)
            device.harsh.letGo()
            try await device.reading("heater", "switches", .integer(2))
            await device.settled()
            #expect(try device.board.look(at: heaterLine) == .inactive)
        }
    }

    @Test("When the agent stops while a line hangs, the others are safe, and it is said which is not")
    func stopsWhileOneHangs() async throws {
        let stuck = Mailbox<CommandResult>(bound: 1, policy: .refuseNewest)
        let device = try device(patience: .seconds(60))
        try await device.run {
            try await device.reading("heater", "on", .boolean(false))
            try await device.reading("lamp", "on", .boolean(false))
            #expect(await device.perform("lamp", "on").status == .done)
            device.harsh.hang(heaterLine)
            device.manager.commands.submit(device.command("heater", "on", id: "stuck")) { stuck.send($0) }
            #expect(await device.harsh.hangs.next() == heaterLine)
        } whileStopping: { () async throws in
            try await device.reading("lamp", "reason", .text("the agent stops"))
            try await device.reading("lamp", "switches", .integer(2))
            #expect(try device.board.look(at: lampLine) == .inactive)
            // It does not wait for ever for the one that hangs.
            while !device.manager.farewell.contains("heater") {
                device.pass(.seconds(1))
                await Task.yield()
            }
        }
        #expect(device.manager.farewell.lowercased().hasPrefix("heater could not be made safe"))
        // It may be done yet: nobody is told that it was refused.
        #expect(await stuck.next()?.status == .unknown)
        try device.board.occupy(lampLine, by: "somebody")
        // When it answers at last, it is made safe before it is given back.
        while (try? device.board.occupy(heaterLine, by: "somebody")) == nil {  // safe: it is not given back yet
            try Task.checkCancellation()
            await Task.yield()
        }
        #expect(try device.board.switches(of: heaterLine) == 2)
    }

    @Test("A line that does not answer when it is taken is told of in the status")
    func silentWhenTaken() async throws {
        let device = try device(patience: .seconds(5))
        device.harsh.hang(heaterLine, whenTaken: true)
        try await device.run {
            #expect(await device.harsh.hangs.next() == heaterLine)
            try await device.reading("lamp", "on", .boolean(false))
            device.pass(.seconds(5))
            #expect(try await device.reading("heater", "on").reason == "its line has not answered for 5s and more")
            let heater = await device.manager.status().components.first { $0.id == "heater" }
            #expect(heater?.problem == "its line has not answered for 5s and more")
            device.harsh.letGo()
            try await device.reading("heater", "on", .boolean(false))
        }
    }

    @Test("A line that hangs when it is taken stops nobody: the others work, and the agent ends without it")
    func hangsWhenTaken() async throws {
        let device = try device()
        device.harsh.hang(heaterLine, whenTaken: true)
        try await device.run {
            try await device.reading("lamp", "on", .boolean(false))
            #expect(await device.harsh.hangs.next() == heaterLine)
            #expect(await device.perform("lamp", "on").status == .done)
            #expect(await device.perform("heater", "on").status == .failed)
        } whileStopping: { () async throws in
            try await device.reading("lamp", "reason", .text("the agent stops"))
            // It has left the outputs, and waits for the line to be given back.
            while !device.manager.farewell.contains("heater") {
                try Task.checkCancellation()
                await Task.yield()
            }
            device.pass(.seconds(2))
        }
        #expect(device.manager.farewell == "what heater does is not known: its line is not there yet")
    }

    @Test("Commands for an output that has too many waiting are refused, and those that were there are done")
    func crowd() async throws {
        let device = try device()
        try await device.run { () async throws in
            try await device.reading("heater", "on", .boolean(false))
            device.harsh.hang(heaterLine)
            let results = Mailbox<CommandResult>(bound: 64, policy: .refuseNewest)
            let first = device.command("heater", "on", id: "0")
            device.manager.commands.submit(first) { results.send($0) }
            #expect(await device.harsh.hangs.next() == heaterLine)
            for number in 1...20 {
                device.manager.commands.submit(device.command("heater", "on", id: "\(number)")) { results.send($0) }
            }
            for _ in 0..<5 {
                let refused = try #require(await results.next())
                #expect(refused.status == .refused)
                #expect(refused.reason == "heater has too many commands waiting; try again")
            }
            device.harsh.letGo()
            for _ in 0..<16 { #expect(await results.next()?.status == .done) }
            #expect(try device.board.switches(of: heaterLine) == 1)
        }
    }
}
