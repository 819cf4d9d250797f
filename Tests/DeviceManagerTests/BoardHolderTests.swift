import Components
import DeviceModel
import HAL
import HALSimulated
import HALTestKit
import TestSupport
import Testing

@testable import DeviceManager

/// Promises that an agent that holds its output lines itself leaves none of them away from safe that it gives back, and
/// switches nothing where only an end is to change.
@Suite(.timeLimit(.minutes(1))) struct BoardHolderTests {
    private let time = ManualTime()
    private let board: SimulatedBoard
    private let line = LineReference.name("GPIO5")

    init() {
        board = SimulatedBoard(time: time)
    }

    private func take(safe: LineValue) async throws -> any HeldOutput {
        let plan = OutputPlan(line: line, bias: .asIs, isActiveLow: true, rules: OutputRules(safe: safe))
        return try await BoardHolder(board: board, time: time).take("heater", plan)
    }

    @Test("A line is safe when it is taken and before it is given back", arguments: [LineValue.active, .inactive])
    func release(safe: LineValue) async throws {
        let output = try await take(safe: safe)
        #expect(output.found == FoundOutput(value: safe))
        #expect(try board.look(at: line) == safe)
        #expect(try await output.drive(safe.toggled, until: nil, notAfter: nil))
        #expect(try board.look(at: line) == safe.toggled)
        let before = try board.switches(of: line)
        await output.release()
        #expect(try board.switches(of: line) == before + 1)
        try board.occupy(line, by: "somebody")
    }

    @Test("A line that is safe is given back without an edge")
    func releaseSafe() async throws {
        let output = try await take(safe: .inactive)
        let before = try board.switches(of: line)
        await output.release()
        #expect(try board.switches(of: line) == before)
        try board.occupy(line, by: "somebody")
    }

    @Test("A new end switches nothing, and is refused where the line is something else")
    func keep() async throws {
        let output = try await take(safe: .inactive)
        #expect(try await !output.keep(.active, until: nil, notAfter: nil))
        #expect(try board.look(at: line) == .inactive)
        try await #require(output.drive(.active, until: nil, notAfter: nil))
        let before = try board.switches(of: line)
        #expect(try await output.keep(.active, until: time.now + .seconds(60), notAfter: nil))
        #expect(try await !output.keep(.inactive, until: nil, notAfter: nil))
        #expect(try board.switches(of: line) == before)
        #expect(try board.look(at: line) == .active)
    }

    @Test("A drive that comes too late is not done")
    func tooLate() async throws {
        let output = try await take(safe: .inactive)
        #expect(try await !output.drive(.active, until: nil, notAfter: time.now))
        #expect(try board.look(at: line) == .inactive)
        #expect(try await output.drive(.active, until: nil, notAfter: time.now + .seconds(1)))
    }
}
