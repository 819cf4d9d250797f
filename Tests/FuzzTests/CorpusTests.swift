import FuzzTargets
import TestSupport
import Testing

/// Promise: whatever arrives from outside ends in a value or in an error.
///
/// The files of Tests/Corpus are as nasty as can be thought of, or were once found by `make fuzz`; each is also cut off
/// everywhere, and damaged.
@Suite(.timeLimit(.minutes(10))) struct CorpusTests {
    @Test("Every target has its folder of examples, and every folder its target")
    func folders() throws {
        #expect(try Corpus.folders() == Set(FuzzTarget.all.map(\.name)))
        #expect(Set(FuzzTarget.all.flatMap(\.seeds)).isSubset(of: try Corpus.folders()))
        #expect(Set(FuzzTarget.all.map(\.name)).count == FuzzTarget.all.count)
    }

    @Test("Every file keeps the promises, whole, cut off and damaged", arguments: FuzzTarget.all)
    func replay(target: FuzzTarget) throws {
        for file in try Corpus.files(of: target) {
            try expect(file.path, of: target, file.bytes)
            for count in 0..<min(file.bytes.count, 512) {
                try expect("\(file.path), \(count) bytes of it", of: target, Array(file.bytes.prefix(count)))
            }
            for seed in 1...20 as ClosedRange<UInt64> {
                var generator = SeededGenerator(seed: seed)
                try expect("\(file.path), seed \(seed)", of: target, file.bytes.damaged(using: &generator))
            }
            try Task.checkCancellation()
        }
    }

    private func expect(_ name: String, of target: FuzzTarget, _ bytes: [UInt8]) throws {
        do {
            _ = try target.check(bytes)
        } catch {
            Issue.record("\(target.name): \(name): \(error)")
        }
    }

    @Test("Something in every folder is read, and what fills every field is", arguments: FuzzTarget.all)
    func somethingIsRead(target: FuzzTarget) throws {
        let own = try Corpus.files(in: target.name)
        #expect(try own.contains { try target.check($0.bytes) == .read })
        for file in own where ["everything", "numbers-at-their-ends"].contains(where: file.path.hasSuffix) {
            #expect(try target.check(file.bytes) == .read, "\(file.path)")
        }
    }

    @Test("What nests 10 000 levels or announces 1 GiB is refused by whoever gets it", arguments: FuzzTarget.all)
    func tooMuch(target: FuzzTarget) throws {
        for file in try Corpus.files(of: target) where file.isTooMuch {
            #expect(try target.check(file.bytes) != .read, "\(file.path)")
        }
    }
}

extension [UInt8] {
    /// The same bytes but for one to eight of them: changed, lost, doubled, or with something of their own put in between.
    func damaged(using generator: inout SeededGenerator) -> [UInt8] {
        var bytes = self
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
            guard let index = bytes.indices.randomElement(using: &generator) else { break }
            switch Int.random(in: 0...4, using: &generator) {
            case 0: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &generator)
            case 1: bytes[index] = [0, 0x7F, 0x80, 0xC1, 0xFF].randomElement(using: &generator) ?? 0
            case 2: bytes.remove(at: index)
            case 3: bytes.insert(bytes[index], at: index)
            default: bytes.insert(contentsOf: bytes[index...].prefix(16), at: 0)
            }
        }
        return bytes
    }
}
