import ConfigurationSchema
import DeviceModel
import HAL
import HALTestKit
import TestSupport
import Testing

@testable import Components
@testable import HALSimulated

@Suite struct BMP280CompensationTests {
    /// Section 3.12 of the data sheet BST-BMP280-DS001.
    private let example: BMP280.Calibration

    init() throws {
        let bytes = try #require([UInt8](hexadecimal: "706b436718fc7d8e43d6d00b270b8c00f9ff8c3cf8c67017"))
        example = try #require(BMP280.Calibration(bytes: bytes))
    }

    @Test func theDataSheetsExample() throws {
        let fine = example.fine(519_888)
        #expect(abs(BMP280.Calibration.kelvin(fine: fine) - 273.15 - 25.08) < 0.005)
        let pascal = try #require(example.pascal(415_148, fine: fine))
        #expect(abs(pascal - 100_653.258) < 0.01)
    }

    /// The simulated chip solves the formulas for the raw values; the driver goes the way back.
    ///
    /// They share no code.
    @Test func theInverseOfTheSimulatedChipAgrees() throws {
        for celsius in stride(from: -40.0, through: 85, by: 2.5) {
            for hectopascal in stride(from: 300.0, through: 1_100, by: 25) {
                let fine = SimulatedBMP280.fine(celsius: celsius)
                let raw = SimulatedBMP280.rawTemperature(fine: fine)
                #expect(abs(example.fine(raw) - fine) < 1e-6 * 5_120)
                let pressure = SimulatedBMP280.rawPressure(pascal: hectopascal * 100, fine: fine)
                let back = try #require(example.pascal(pressure, fine: fine))
                #expect(abs(back - hectopascal * 100) < 1e-3)
            }
        }
    }

    @Test(arguments: [[UInt8](repeating: 0, count: 24), [UInt8](repeating: 0xFF, count: 24), [], [1, 2, 3]])
    func emptyCalibrationsAreRefused(bytes: [UInt8]) {
        #expect(BMP280.Calibration(bytes: bytes) == nil)
    }

    @Test func rawValuesOfEightyThousandAreNotMeasured() {
        let raw = BMP280.Raw(data: [0x80, 0, 0, 0x7E, 0xED, 0x00])
        #expect(raw.pressure == nil)
        #expect(raw.temperature == 519_888)
    }

    @Test func settingsBecomeRegisters() {
        let settings = BMP280.Settings(
            mode: .normal, temperatureOversampling: 2, pressureOversampling: 16, filter: 4, interval: .seconds(2))
        #expect(settings.control == 0b010_101_00)
        #expect(settings.config == 0b101_010_00)  // 1 s: what is longer means something else to a BME280
        #expect(settings.conversionTime == .microseconds(1_250 + 4_600 + 36_800 + 575))
        let fast = BMP280.Settings(
            mode: .forced, temperatureOversampling: 1, pressureOversampling: 1, filter: 1, interval: .milliseconds(100))
        #expect(fast.control == 0b001_001_00)
        #expect(fast.config == 0)
    }
}

@Suite(.timeLimit(.minutes(1))) struct BMP280Tests {
    private let time = ManualTime()
    private let address: I2CAddress = 0x76

    private func run(
        _ entries: [String: Node.Value] = [:], _ board: any Board,
        _ body: @escaping @Sendable (ComponentHarness) async throws -> Void
    ) async throws -> (any Error)? {
        let harness = try ComponentHarness(BMP280.self, entries, time: time)
        time.allow(until: time.now + .seconds(1))  // the first measurement; the next is due after two
        return try await harness.run(on: board) { try await body(harness) }
    }

    private func celsius(_ reading: Reading) throws -> Double {
        Quantity.temperature.displayed(try #require(reading.value?.numeric))
    }

    @Test(arguments: ["forced", "normal"]) func whatTheWorldIsItReports(mode: String) async throws {
        let board = SimulatedBoard(time: time)
        board.buses[1]?.set(.temperature, to: 298.23, at: address)
        board.buses[1]?.set(.pressure, to: 100_653.25, at: address)
        let error = try await run(["mode": .string(mode)], board) { (harness) async throws in
            let temperature = try await harness.next("temperature")
            #expect(temperature.quality == .good)
            #expect(try celsius(temperature) == 25.08)
            let pressure = try #require(try await harness.next("pressure").value?.numeric)
            #expect(abs(pressure - 100_653.25) < 5)
        }
        #expect(error == nil)
    }

    @Test func offsetsAndAltitude() async throws {
        let start = Position(line: 1, column: 1)
        let offset = Table([
            .init(key: "temperature", position: start, node: Node(.string("-0.5 °C"), at: start)),
            .init(key: "pressure", position: start, node: Node(.string("1 hPa"), at: start)),
        ])
        let board = SimulatedBoard(time: time)  // 21 °C, 1013.25 hPa
        _ = try await run(["offset": .table(offset), "altitude": .string("212 m")], board) { (harness) async throws in
            #expect(try celsius(try await harness.next("temperature")) == 20.5)
            let pressure = try #require(try await harness.next("pressure").value?.numeric)
            #expect(abs(pressure - 101_425) < 5)
            let atSea = try #require(try await harness.next("sea_level_pressure").value?.numeric)
            #expect(abs(atSea - pressure / 0.97509) < 20)
        }
    }

    @Test func aBME280IsServedToo() async throws {
        let board = SimulatedBoard(time: time)
        board.buses[1]?.plug(SimulatedBMP280(.bme280), at: address)
        _ = try await run([:], board) { (harness) async throws in
            #expect(try celsius(try await harness.next("temperature")) == 21)
        }
    }

    @Test func aMissingSensorIsAnErrorThatNamesIt() async throws {
        let board = SimulatedBoard(time: time)
        board.buses[1]?.unplug(address)
        let error = try await run([:], board) { harness in while await harness.observations.next() != nil {} }
        #expect((error as? HALError)?.kind == .noAcknowledge)
        #expect(error?.explanation.contains("0x76") == true)
    }

    @Test func aSensorAtTheOtherAddressIsSuggested() async throws {
        let board = SimulatedBoard(time: time)
        board.buses[1]?.unplug(address)
        board.buses[1]?.plug(SimulatedBMP280(), at: 0x77)
        let error = try await run([:], board) { harness in while await harness.observations.next() != nil {} }
        #expect(error?.explanation.contains("address = 0x77") == true)
    }

    @Test func anotherChipIsRefused() async throws {
        let board = PlaybackBoard(try I2CRecording(text: "0x76 write d0 read 42"))
        let error = try await run([:], board) { harness in while await harness.observations.next() != nil {} }
        #expect(error?.explanation.contains("says that it is 0x42") == true)
    }

    @Test(arguments: ["forced", "normal"]) func aSilentResetIsNoticedAndMended(mode: String) async throws {
        let board = SimulatedBoard(time: time)
        let error = try await run(["mode": .string(mode), "filter": .integer(4)], board) { (harness) async throws in
            _ = try await harness.next("temperature")
            board.buses[1]?.brownOut(address)
            time.allow(until: time.now + .seconds(9))
            var last = try await harness.next("temperature")
            for _ in 0..<3 where last.quality != .good { last = try await harness.next("temperature") }
            #expect(last.quality == .good)
            #expect(try celsius(last) == 21)
            // Its configuration is back: the filter is on again.
            let config = try await board.buses[1]?.transfer(address, write: [0xF5], readCount: 1).first
            #expect(try #require(config) >> 2 & 0b111 == 2)
        }
        #expect(error == nil)
    }

    @Test func aSensorThatForgetsAgainAndAgainIsAnError() async throws {
        // It answers, but its control register stays 0.
        var transfers = I2CRecording.beginning
        for _ in 0..<2 {
            transfers += "0x76 write f4 55\n0x76 write f3 read 00\n0x76 write f4 read 00\n0x76 write f5 read 00\n"
            transfers += "0x76 write f7 read 80 00 00 80 00 00\n0x76 write f4 54\n0x76 write f5 00\n"
        }
        let board = PlaybackBoard(try I2CRecording(text: transfers))
        let error = try await run([:], board) { harness in while await harness.observations.next() != nil {} }
        #expect(board.mismatch == nil)
        #expect(error?.explanation.contains("does not keep its configuration") == true)
    }

    @Test func whatTheChipDidNotMeasureIsReportedAsFailed() async throws {
        let measured = "0x76 write f4 55\n0x76 write f3 read 00\n0x76 write f4 read 54\n0x76 write f5 read 00\n"
        let recording = I2CRecording.beginning + measured + "0x76 write f7 read 80 00 00 80 00 00\n"
        let board = PlaybackBoard(try I2CRecording(text: recording))
        _ = try await run([:], board) { (harness) async throws in
            let reading = try await harness.next("temperature")
            #expect(reading.quality == .failed)
            #expect(reading.value == nil)
            #expect(reading.reason?.contains("did not measure") == true)
        }
    }

    @Test func theRecordingPlaysTheDataSheetsExample() async throws {
        let board = PlaybackBoard(try I2CRecording(text: try Fixture.text("recordings/bmp280.txt")))
        _ = try await run([:], board) { (harness) async throws in
            #expect(try celsius(try await harness.next("temperature")) == 25.08)
            let pressure = try #require(try await harness.next("pressure").value?.numeric)
            #expect(Quantity.pressure.displayed(pressure) == 1_006.53)
        }
        #expect(board.mismatch == nil)
        #expect(board.remaining == 0)
    }
}

extension I2CRecording {
    /// How every run with the standard settings begins: id, reset, status, calibration, configuration.
    fileprivate static let beginning = """
        0x76 write d0 read 58
        0x76 write e0 b6
        0x76 write f3 read 00
        0x76 write 88 read 70 6b 43 67 18 fc 7d 8e 43 d6 d0 0b 27 0b 8c 00 f9 ff 8c 3c f8 c6 70 17
        0x76 write f4 54
        0x76 write f5 00

        """
}
