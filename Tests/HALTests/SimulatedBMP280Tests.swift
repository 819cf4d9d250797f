import DeviceModel
import HALSimulated
import Testing

/// The chip's registers as the data sheet has them; its arithmetic is checked where the driver reads it.
@Suite struct SimulatedBMP280Tests {
    private let start = MonotonicTime(nanoseconds: 0)

    private func at(_ milliseconds: Int) -> MonotonicTime { start + .milliseconds(milliseconds) }

    private func read(_ chip: inout SimulatedBMP280, _ register: UInt8, _ count: Int, at time: MonotonicTime) -> [UInt8]
    {
        chip.transfer(write: [register], readCount: count, at: time)
    }

    @Test func wakesUpWithTheRegistersOfItsReset() {
        var chip = SimulatedBMP280()
        #expect(read(&chip, 0xD0, 1, at: start) == [0x58])
        #expect(read(&chip, 0xF3, 3, at: start) == [0, 0, 0])
        #expect(read(&chip, 0xF7, 6, at: start) == [0x80, 0, 0, 0x80, 0, 0])
        var bme = SimulatedBMP280(.bme280)
        #expect(read(&bme, 0xD0, 1, at: start) == [0x60])
    }

    @Test func forcedModeMeasuresOnceAndSleeps() {
        var chip = SimulatedBMP280()
        _ = chip.transfer(write: [0xF4, 0b010_101_01], readCount: 0, at: start)
        #expect(read(&chip, 0xF3, 1, at: at(1)) == [0x08])
        #expect(read(&chip, 0xF7, 1, at: at(1)) == [0x80])
        #expect(read(&chip, 0xF3, 1, at: at(50)) == [0])
        #expect(read(&chip, 0xF4, 1, at: at(50)) == [0b010_101_00])
        #expect(read(&chip, 0xF7, 6, at: at(50)) != [0x80, 0, 0, 0x80, 0, 0])
    }

    @Test func normalModeMeasuresAgainAndAgain() {
        var chip = SimulatedBMP280(
            temperature: Curve([.init(at: .zero, value: 280), .init(at: .seconds(10), value: 300)], startingAt: start))
        _ = chip.transfer(write: [0xF4, 0b001_001_11], readCount: 0, at: start)
        let first = read(&chip, 0xFA, 3, at: at(100))
        let later = read(&chip, 0xFA, 3, at: at(9_000))
        #expect(first != later)
        #expect(read(&chip, 0xF4, 1, at: at(9_000)) == [0b001_001_11])
    }

    @Test func configurationIsTakenInSleepOnly() {
        var chip = SimulatedBMP280()
        _ = chip.transfer(write: [0xF5, 0x10], readCount: 0, at: start)
        #expect(read(&chip, 0xF5, 1, at: start) == [0x10])
        _ = chip.transfer(write: [0xF4, 0x27], readCount: 0, at: start)
        _ = chip.transfer(write: [0xF5, 0x00], readCount: 0, at: start)
        #expect(read(&chip, 0xF5, 1, at: start) == [0x10])
        _ = chip.transfer(write: [0xE0, 0xB6], readCount: 0, at: start)
        #expect(read(&chip, 0xF4, 2, at: start) == [0, 0])
    }

    @Test func whatIsLeftOutReads80000() {
        var chip = SimulatedBMP280()
        _ = chip.transfer(write: [0xF4, 0b001_000_01], readCount: 0, at: start)
        let data = read(&chip, 0xF7, 6, at: at(100))
        #expect(data.prefix(3) == [0x80, 0, 0])
        #expect(data.suffix(3) != [0x80, 0, 0])
    }

    @Test func curvesRunStraightAndBeginAgain() {
        let points = [
            Curve.Point(at: .zero, value: 10), .init(at: .seconds(10), value: 20), .init(at: .seconds(20), value: 10),
        ]
        let once = Curve(points, startingAt: at(1_000))
        #expect(once.value(at: at(0)) == 10)
        #expect(once.value(at: at(6_000)) == 15)
        #expect(once.value(at: at(99_000)) == 10)
        let again = Curve(points, startingAt: start, period: .seconds(20))
        #expect(again.value(at: at(25_000)) == 15)
    }
}
