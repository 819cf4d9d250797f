import DeviceModel
import HAL

extension BoardConformance {
    /// Far longer than any kernel takes to report an edge.
    private static let patience: Duration = .seconds(5)

    static let lineChecks: [Check] = [
        Check(promise: "an input reads the voltage on its line") { bench in
            let line = try bench.board.requestInput(
                bench.input, InputSettings(bias: .pullDown), consumer: "conformance")
            defer { line.release() }
            for high in [true, false, true] {
                try await bench.drive(bench.input, high: high)
                try await bench.pass(.milliseconds(100))
                try expect(try line.value() == (high ? .active : .inactive), "\(try line.value()) at high = \(high)")
            }
        },
        Check(promise: "an active-low input is active when the voltage is low") { bench in
            let settings = InputSettings(bias: .pullUp, isActiveLow: true)
            let line = try bench.board.requestInput(bench.input, settings, consumer: "conformance")
            defer { line.release() }
            try await bench.drive(bench.input, high: false)
            try await bench.pass(.milliseconds(100))
            try expect(try line.value() == .active, "inactive at a low voltage")
        },
        Check(promise: "edges come in order, with rising times of the device's own clock") { bench in
            try await bench.drive(bench.input, high: false)
            let line = try bench.board.requestInput(bench.input, InputSettings(), consumer: "conformance")
            defer { line.release() }
            try await bench.drive(bench.input, high: false)
            var last = bench.time.now
            for value in [LineValue.active, .inactive, .active, .inactive] {
                try await bench.drive(bench.input, high: value == .active)
                let edge = try await nextEdge(of: line, bench)
                try expect(edge.value == value, "\(edge.value) instead of \(value)")
                try expect(edge.time >= last && edge.time <= bench.time.now, "an edge at a time that is not now")
                last = edge.time
            }
        },
        Check(promise: "an active-low input reports a fall of the voltage as active") { bench in
            try await bench.drive(bench.input, high: true)
            let settings = InputSettings(isActiveLow: true)
            let line = try bench.board.requestInput(bench.input, settings, consumer: "conformance")
            defer { line.release() }
            try await bench.drive(bench.input, high: true)
            try await bench.drive(bench.input, high: false)
            var edge = try await nextEdge(of: line, bench)
            if edge.value == .inactive { edge = try await nextEdge(of: line, bench) }  // the bench's own first pull
            try expect(edge.value == .active, "inactive at a low voltage")
        },
        Check(promise: "bounces shorter than the debounce period are one edge, dated when it counts") { bench in
            try await bench.drive(bench.input, high: false)
            let settings = InputSettings(debounce: .milliseconds(300))
            let line = try bench.board.requestInput(bench.input, settings, consumer: "conformance")
            defer { line.release() }
            try await bench.drive(bench.input, high: false)
            try await bench.pass(.milliseconds(600))
            while line.edges.takeIfWaiting() != nil {}
            let start = bench.time.now
            for high in [true, false, true, false, true] { try await bench.drive(bench.input, high: high) }
            try await bench.pass(.milliseconds(1_500))
            let edge = try await nextEdge(of: line, bench)
            try expect(edge.value == .active, "inactive after bounces that ended high")
            try expect(edge.time - start >= .milliseconds(300), "the edge counted before the period had ended")
            try expect(line.edges.count == 0, "more edges than one")
        },
        Check(promise: "an output has its value from the request on") { bench in
            for value in [LineValue.active, .inactive] {
                let settings = OutputSettings(initial: .value(value))
                let line = try bench.board.requestOutput(bench.output, settings, consumer: "conformance")
                defer { line.release() }
                try expect(try await bench.isHigh(bench.output) == (value == .active), "not \(value)")
                try expect(try line.direction() == .output, "not an output")
                try expect(try line.value() == value, "not read back as \(value)")
            }
        },
        Check(promise: "an active-low output is low when it is active") { bench in
            let settings = OutputSettings(isActiveLow: true, initial: .value(.active))
            let line = try bench.board.requestOutput(bench.output, settings, consumer: "conformance")
            defer { line.release() }
            try expect(try await !bench.isHigh(bench.output), "high while active")
            try line.drive(.inactive)
            try expect(try await bench.isHigh(bench.output), "low while inactive")
        },
        Check(promise: "an output requested as it is stays so until it is driven, on the same handle") { bench in
            // Which direction a line has that nobody holds is up to the board: an input, or what it was last.
            let before = (try await direction(of: bench.output, bench), try await bench.isHigh(bench.output))
            let settings = OutputSettings(initial: .asIs)
            let line = try bench.board.requestOutput(bench.output, settings, consumer: "conformance")
            defer { line.release() }
            try expect(try line.direction().rawValue == before.0, "the request changed the direction")
            try expect(try await bench.isHigh(bench.output) == before.1, "the request changed the voltage")
            try expect(try line.value() == (before.1 ? .active : .inactive), "the present value is not read")
            for value in [LineValue.active, .inactive, .active] {
                try line.drive(value)
                try expect(try line.direction() == .output, "still an input after it was driven")
                try expect(try await bench.isHigh(bench.output) == (value == .active), "not \(value)")
            }
        },
        Check(promise: "a line that was released can be taken again") { bench in
            for _ in 0..<3 {
                try bench.board.requestInput(bench.input, InputSettings(), consumer: "conformance").release()
                let settings = OutputSettings(initial: .value(.inactive))
                try bench.board.requestOutput(bench.input, settings, consumer: "conformance").release()
            }
        },
        Check(promise: "released inputs report their end") { bench in
            let line = try bench.board.requestInput(bench.input, InputSettings(), consumer: "conformance")
            line.release()
            while await line.edges.next() != nil {}
        },
    ]

    /// The direction of a line that nobody holds, as the inventory has it.
    private static func direction(of line: LineReference, _ bench: any BoardBench) async throws -> String? {
        let lines = await bench.board.inventory().chips.flatMap(\.lines)
        return lines.first { $0.name == "\(line)" || "GPIO\($0.offset)" == "\(line)" }?.direction
    }

    private static func nextEdge(
        of line: any InputLine, _ bench: any BoardBench
    ) async throws -> (value: LineValue, time: MonotonicTime) {
        switch await line.edges.next(until: bench.time.now + patience, on: bench.time) {
        case .element(.edge(let value, let time)): return (value, time)
        case .element(.failed(let error)): throw error
        case .deadline: throw Violation(description: "no edge within \(patience)")
        case .finished: throw Violation(description: "the edges ended")
        }
    }
}
