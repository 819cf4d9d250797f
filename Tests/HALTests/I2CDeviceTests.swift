import DeviceModel
import HAL
import HALSimulated
import HALTestKit
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct I2CDeviceTests {
    private let time = ManualTime()
    private let address: I2CAddress = 0x76

    @Test func aTransferIsTriedThreeTimes() async throws {
        let board = SimulatedBoard(time: time)
        let bus = try #require(board.buses[1])
        let device = I2CDevice(bus: bus, address: address, time: time)
        time.allow(until: time.now + .seconds(1))
        bus.fail(next: 2, as: .noAcknowledge)
        #expect(try await device.read(0xD0) == 0x58)
        #expect(bus.transfers == 3)
        bus.fail(next: 3, as: .timedOut)
        await #expect(throws: HALError.self) { try await device.read(0xD0) }
        #expect(bus.transfers == 6)
    }

    @Test func whatASecondTryCannotMendIsToldAtOnce() async throws {
        let board = SimulatedBoard(time: time)
        let bus = try #require(board.buses[1])
        let device = I2CDevice(bus: bus, address: address, time: time)
        bus.fail(next: 1, as: .busy)
        await #expect(throws: HALError.self) { try await device.write(0xF4, 0) }
        #expect(bus.transfers == 1)
    }
}

@Suite(.timeLimit(.minutes(1))) struct I2CRecordingTests {
    private let text = """
        # a chip
        0x76 write d0 read 58
        0x76 write f4 25
        0x77 write d0 fails noAcknowledge

        """

    @Test func readsAndWritesItsText() throws {
        let recording = try I2CRecording(text: text)
        #expect(recording.transfers.count == 3)
        #expect(try I2CRecording(text: recording.text) == recording)
        #expect(recording.text.split(separator: "\n") == Array(text.split(separator: "\n").dropFirst()))
        #expect(throws: RecordingError.self) { try I2CRecording(text: "0x76 write zz") }
        #expect(throws: RecordingError.self) { try I2CRecording(text: "hello world") }
    }

    @Test func playsWhatItRecorded() async throws {
        let time = ManualTime()
        let recorder = RecordingBoard(SimulatedBoard(time: time))
        let bus = try recorder.bus(1)
        let (address, other) = (I2CAddress(0x76), I2CAddress(0x40))
        let id = try await bus.transfer(address, write: [0xD0], readCount: 1)
        await #expect(throws: HALError.self) { try await bus.transfer(other, write: [0], readCount: 1) }

        let player = PlaybackBoard(recorder.recording)
        let played = try player.bus(1)
        #expect(try await played.transfer(address, write: [0xD0], readCount: 1) == id)
        await #expect(throws: HALError.self) { try await played.transfer(other, write: [0], readCount: 1) }
        #expect(player.remaining == 0)
        #expect(player.mismatch == nil)
        await #expect(throws: HALError.self) { try await played.transfer(address, write: [1], readCount: 1) }
        #expect(player.mismatch != nil)
    }
}
