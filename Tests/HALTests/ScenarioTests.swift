import ConfigurationSchema
import DeviceModel
import HAL
import HALSimulated
import HALTestKit
import TOMLFile
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct ScenarioTests {
    private func read(_ text: String) -> (Scenario?, [String]) {
        var findings = Findings(file: "s.toml")
        let table = TOMLFile.parse(text, &findings)
        return (Scenario.read(table, &findings), findings.lines)
    }

    @Test func pressesComeAtTheirTimesAndAgain() async throws {
        let (scenario, lines) = read(
            """
            repeat = "10s"
            [[presses]]
            line = "GPIO17"
            at = "2s"
            for = "500ms"
            """)
        #expect(lines.isEmpty)
        let time = ManualTime()
        let board = SimulatedBoard(scenario: try #require(scenario), time: time)
        let input = try board.requestInput(.name("GPIO17"), InputSettings(), consumer: "test")
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await board.run() }
            var times: [Duration] = []
            let start = time.now
            for _ in 0..<4 {
                await time.untilSleepers()
                time.advance(by: .milliseconds(500))
                while times.count < 4 {
                    await time.untilSleepers()
                    if case .edge(_, let moment)? = input.edges.takeIfWaiting() {
                        times.append(moment - start)
                    } else {
                        time.advance(by: .milliseconds(500))
                    }
                }
            }
            #expect(times == [.seconds(2), .milliseconds(2_500), .seconds(12), .milliseconds(12_500)])
            board.stop()
        }
    }

    @Test func chipsWiresAndFaults() async throws {
        let (scenario, lines) = read(
            """
            repeat = "1h"
            [[chips]]
            bus = 3
            address = 0x77
            model = "bme280"
            temperature = [ { at = "0s", value = "10 °C" }, { at = "60s", value = "20 °C" } ]
            pressure = "990 hPa"
            [[wires]]
            between = ["GPIO5", "pin 11"]
            [[faults]]
            at = "1s"
            kind = "unplugged"
            bus = 3
            address = 0x77
            for = "5s"
            """)
        #expect(lines.isEmpty)
        let time = ManualTime()
        let board = SimulatedBoard(scenario: try #require(scenario), time: time)
        let bus = try board.bus(3)
        let address = I2CAddress(0x77)
        #expect(try await bus.transfer(address, write: [0xD0], readCount: 1) == [0x60])
        _ = try board.requestOutput(.name("GPIO5"), OutputSettings(initial: .value(.active)), consumer: "out")
        #expect(try board.level(of: .name("GPIO17")))
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await board.run() }
            await time.untilSleepers()
            time.advance(by: .seconds(1))
            await time.untilSleepers()
            await #expect(throws: HALError.self) { try await bus.transfer(address, write: [0xD0], readCount: 1) }
            time.advance(by: .seconds(5))
            await time.untilSleepers()
            board.stop()
        }
        #expect(try await bus.transfer(address, write: [0xD0], readCount: 1) == [0x60])
    }

    @Test("what happens to lines and chips that are not there is a mistake")
    func placesThatAreNotThere() {
        let (scenario, places) = read(
            """
            [[presses]]
            line = "GPIO99"
            at = "1s"
            [[wires]]
            between = ["GPIO5", "GPIO28"]
            [[faults]]
            at = "1s"
            kind = "reset"
            address = 0x76
            """)
        #expect(scenario == nil)
        #expect(places.count == 3)
        #expect(places.contains { $0.hasPrefix("s.toml:2:8:") && $0.contains("GPIO99") })
        #expect(places.contains { $0.hasPrefix("s.toml:5:11:") && $0.contains("GPIO28") })
        #expect(places.contains { $0.hasPrefix("s.toml:9:11:") && $0.contains("0x76") })
    }

    @Test func mistakesHaveTheirPlaces() {
        let (scenario, lines) = read(
            """
            [[chips]]
            addres = 0x76
            [[presses]]
            line = 17
            at = "soon"
            [[wires]]
            between = ["GPIO5"]
            [[chips]]
            address = 0x76
            temperature = [ { at = "5s", value = "10 °C" }, { at = "1s", value = "20 °C" } ]
            [[faults]]
            at = "1s"
            kind = "melted"
            address = 0x76
            """)
        #expect(scenario == nil)
        #expect(lines.count == 6)
        #expect(lines[0].contains("'address' is missing in [chips]"))
        #expect(lines.contains { $0.hasPrefix("s.toml:2:1:") && $0.contains("did you mean 'address'?") })
        #expect(lines.contains { $0.hasPrefix("s.toml:4:8:") })
        #expect(lines.contains { $0.hasPrefix("s.toml:5:6:") })
        #expect(lines.contains { $0.hasPrefix("s.toml:10:") && $0.contains("later than the one before") })
        #expect(lines.contains { $0.hasPrefix("s.toml:13:") && $0.contains("\"unplugged\"") })
    }
}
