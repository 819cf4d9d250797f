import DeviceModel
import HAL
import HALSimulated
import HALTestKit
import TestSupport
import Testing

/// The simulated board on a bench whose clock a test turns.
struct SimulatedBench: BoardBench {
    let simulated: SimulatedBoard
    let clock: ManualTime
    var board: any Board { simulated }
    var time: any TimeSource { clock }
    let input = LineReference.name("GPIO17")
    let output = LineReference.name("GPIO5")
    let bus = 1
    let sensor: I2CAddress = 0x76
    let silent: I2CAddress = 0x40
    let ambiguous: LineReference? = .name("TWICE")

    init() {
        clock = ManualTime()
        let other = LineDirectory.Chip(name: "gpiochip1", label: "expander", lineNames: ["TWICE", "", "TWICE"])
        simulated = SimulatedBoard(chips: [SimulatedBoard.header, other], time: clock)
    }

    func drive(_ line: LineReference, high: Bool) throws {
        let isActiveLow = try simulated.level(of: line) != (try simulated.look(at: line) == .active)
        try simulated.drive(line, high != isActiveLow ? .active : .inactive)
    }

    func isHigh(_ line: LineReference) throws -> Bool { try simulated.level(of: line) }

    func pass(_ duration: Duration) async throws {
        clock.advance(by: duration)
        simulated.settle()
    }
}

@Suite(.timeLimit(.minutes(1))) struct SimulatedBoardConformanceTests {
    @Test(arguments: BoardConformance.checks.indices) func keepsThePromise(index: Int) async throws {
        let check = BoardConformance.checks[index]
        await #expect(throws: Never.self, "\(check.promise)") { try await check.run(SimulatedBench()) }
    }
}

@Suite(.timeLimit(.minutes(1))) struct SimulatedBoardTests {
    private let time = ManualTime()

    @Test func wiresConnectOutputsWithInputs() throws {
        let board = SimulatedBoard(time: time)
        try board.wire(.name("GPIO5"), .name("GPIO17"))
        let input = try board.requestInput(.name("GPIO17"), InputSettings(), consumer: "in")
        let output = try board.requestOutput(.name("GPIO5"), OutputSettings(initial: .value(.active)), consumer: "out")
        #expect(try input.value() == .active)
        try output.drive(.inactive)
        #expect(try input.value() == .inactive)
        #expect(input.edges.count == 2)
    }

    @Test func whatWasLeftDrivenIsFoundAsItIs() throws {
        let board = SimulatedBoard(time: time)
        try board.leave(.name("GPIO5"), drivenTo: true)
        let output = try board.requestOutput(.name("GPIO5"), OutputSettings(initial: .asIs), consumer: "out")
        #expect(try output.direction() == .output)
        #expect(try output.value() == .active)
        #expect(try board.level(of: .name("GPIO5")))
        #expect(try board.switches(of: .name("GPIO5")) == 0)
        try output.drive(.active)
        #expect(try board.switches(of: .name("GPIO5")) == 0)
        output.release()
        #expect(try !board.level(of: .name("GPIO5")))
    }

    @Test func anUnpluggedChipTellsItsHolders() async throws {
        let board = SimulatedBoard(time: time)
        let input = try board.requestInput(.name("GPIO17"), InputSettings(), consumer: "in")
        board.unplug(chip: "simulated-header")
        guard case .failed = await input.edges.next() else { return #expect(Bool(false)) }
        #expect(throws: HALError.self) { try input.value() }
        #expect(throws: HALError.self) {
            try board.requestInput(.name("GPIO18"), InputSettings(), consumer: "in")
        }
    }

    @Test func aFingerCannotMoveWhatTheBoardDrives() throws {
        let board = SimulatedBoard(time: time)
        let output = try board.requestOutput(
            .name("GPIO5"), OutputSettings(initial: .value(.inactive)), consumer: "heater")
        #expect { try board.drive(.name("GPIO5"), .active) } throws: { "\($0)".contains("held by heater") }
        output.release()
        try board.drive(.name("GPIO5"), .active)
    }

    @Test func aBusFailsOnDemand() async throws {
        let board = SimulatedBoard(time: time)
        let (bus, address) = (try #require(board.buses[1]), I2CAddress(0x76))
        bus.fail(next: 2, as: .timedOut)
        for _ in 0..<2 {
            await #expect(throws: HALError.self) { try await bus.transfer(address, write: [0xD0], readCount: 1) }
        }
        #expect(try await bus.transfer(address, write: [0xD0], readCount: 1) == [0x58])
        bus.unplug(address)
        await #expect(throws: HALError.self) { try await bus.transfer(address, write: [0xD0], readCount: 1) }
        bus.replug(address)
        #expect(try await bus.transfer(address, write: [0xD0], readCount: 1) == [0x58])
        bus.bindDriver(address)
        await #expect { try await bus.transfer(address, write: [0xD0], readCount: 1) } throws: {
            ($0 as? HALError)?.kind == .busy
        }
    }
}
