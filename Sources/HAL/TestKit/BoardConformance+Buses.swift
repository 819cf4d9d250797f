import DeviceModel
import HAL

extension BoardConformance {
    static let errorChecks: [Check] = [
        Check(promise: "a line that somebody holds is refused, with the holder's name") { bench in
            let line = try bench.board.requestInput(bench.input, InputSettings(), consumer: "the first one")
            defer { line.release() }
            try await expectError(.busy, saying: ["\(bench.input)", "the first one"]) {
                try bench.board.requestInput(bench.input, InputSettings(), consumer: "the second one").release()
            }
            try await expectError(.busy, saying: ["the first one"]) {
                let settings = OutputSettings(initial: .asIs)
                try bench.board.requestOutput(bench.input, settings, consumer: "the second one").release()
            }
        },
        Check(promise: "a line, a pin or a chip that does not exist is named") { bench in
            for line in [LineReference.name("NOSUCHLINE"), .chip("nosuchchip", offset: 0)] {
                let name = if case .chip(let chip, _) = line { chip } else { line.description }
                try await expectError(.absent, saying: [name]) {
                    try bench.board.requestInput(line, InputSettings(), consumer: "conformance").release()
                }
            }
        },
        Check(promise: "a chip by its number is refused, with the label that does not change") { bench in
            let inventory = await bench.board.inventory()
            guard let chip = inventory.chips.first(where: { $0.name != $0.label }) else { return }
            try await expectError(.absent, saying: [chip.label]) {
                let line = LineReference.chip(chip.name, offset: 0)
                try bench.board.requestInput(line, InputSettings(), consumer: "conformance").release()
            }
        },
        Check(promise: "an offset past the end of a chip is refused") { bench in
            guard let chip = await bench.board.inventory().chips.first else { return }
            try await expectError(.absent, saying: [chip.label]) {
                let line = LineReference.chip(chip.label, offset: chip.lines.count)
                try bench.board.requestInput(line, InputSettings(), consumer: "conformance").release()
            }
        },
        Check(promise: "a name that two lines have is refused, with both of them") { bench in
            guard let line = bench.ambiguous else { return }
            let named = await bench.board.inventory().chips.flatMap { chip in
                chip.lines.filter { $0.name == "\(line)" }.map { "\(chip.label) offset \($0.offset)" }
            }
            try expect(named.count > 1, "the bench has no line twice")
            try await expectError(.ambiguous, saying: named) {
                try bench.board.requestInput(line, InputSettings(), consumer: "conformance").release()
            }
        },
        Check(promise: "the inventory shows who holds a line") { bench in
            let line = try bench.board.requestInput(bench.input, InputSettings(), consumer: "the holder")
            defer { line.release() }
            let lines = await bench.board.inventory().chips.filter { $0.label == line.id.chip }.flatMap(\.lines)
            let found = lines.first { $0.offset == line.id.offset }
            try expect(found?.consumer == "the holder", "held by \(found?.consumer ?? "nobody")")
            try expect(found?.direction == "input", "not an input")
        },
    ]

    static let busChecks: [Check] = [
        Check(promise: "a register can be read, alone and with those that follow it") { bench in
            let bus = try bench.board.bus(bench.bus)
            let id = try await bus.transfer(bench.sensor, write: [0xD0], readCount: 1)
            try expect(id == [0x58], "id \(id) instead of 0x58")
            let calibration = try await bus.transfer(bench.sensor, write: [0x88], readCount: 24)
            try expect(calibration.count == 24, "\(calibration.count) bytes instead of 24")
            let first = try await bus.transfer(bench.sensor, write: [0x88], readCount: 1)
            try expect(first[0] == calibration[0], "a byte alone differs from the same byte in a block")
        },
        Check(promise: "a register that was written reads back") { bench in
            let bus = try bench.board.bus(bench.bus)
            for value: UInt8 in [0x00, 0x54] {
                _ = try await bus.transfer(bench.sensor, write: [0xF4, value], readCount: 0)
                let read = try await bus.transfer(bench.sensor, write: [0xF4], readCount: 1)
                try expect(read == [value], "\(read) instead of \(value)")
            }
        },
        Check(promise: "an address at which nobody answers is an error of its own") { bench in
            let bus = try bench.board.bus(bench.bus)
            try await expectError(.noAcknowledge, saying: ["\(bench.silent)"]) {
                _ = try await bus.transfer(bench.silent, write: [0xD0], readCount: 1)
            }
        },
        Check(promise: "a bus that does not exist is named") { bench in
            try await expectError(.absent, saying: ["255"]) {
                let bus = try bench.board.bus(255)
                _ = try await bus.transfer(bench.sensor, write: [0xD0], readCount: 1)
            }
        },
        Check(promise: "the inventory shows what answers on a bus") { bench in
            let bus = await bench.board.inventory().buses.first { $0.number == bench.bus }
            let addresses = bus?.targets.map(\.address) ?? []
            try expect(addresses.contains(Int(bench.sensor.rawValue)), "\(addresses) without \(bench.sensor)")
            try expect(!addresses.contains(Int(bench.silent.rawValue)), "\(addresses) with \(bench.silent)")
        },
    ]
}
