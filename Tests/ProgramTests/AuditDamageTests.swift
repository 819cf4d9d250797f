import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: an audit log that somebody has changed, cut or written anew is found, and where.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct AuditDamageTests {
        /// A router that has stopped, after something was done; `told` is the entry of which the device knows.
        private func settle(_ house: Household) async throws -> (copy: AuditCopy, told: Int) {
            let (router, agent) = try await house.settle()
            for action in ["on", "off"] { try house.done(await house.m2m("call", "greenhouse/heater", action)) }
            for process in [agent, router] {
                process.signal(SIGTERM)
                #expect(try await process.end() == .exited(0))
            }
            let copy = try AuditCopy(house)
            #expect(try await copy.verify(copy.log, head: copy.head).findings(in: copy.path) == [])
            #expect(AuditCopy.chained(copy.lines) == copy.lines, "the chain is another one than is written down")
            #expect(AuditCopy.head(copy.lines) == copy.head)
            // An empty log shows what the device was told.
            let empty = try await copy.verify([], head: AuditCopy.head([])).findings(in: copy.path)
            let told = empty.first?.firstMatch(of: /greenhouse was told of entry (\d+) on .+Z:/)?.1
            return (copy, try #require(told.flatMap { Int($0) }, "\(empty)"))
        }

        /// Where in a line a bit is changed: what is there, how far from the line's beginning, and which bit.
        private func places(in line: [UInt8]) throws -> [(name: String, offset: Int, bit: UInt8)] {
            let hash = line.indices.suffix(64 + 2).dropLast(2)
            let digit = try #require(hash.first { (0x30...0x39).contains(line[$0]) })
            return [
                ("first byte", 0, 0x01), ("text", line.count / 2, 0x20),
                ("what is before the hash", hash.lowerBound - 4, 0x04), ("hash, another digit", digit, 0x01),
                ("hash, no digit any more", digit, 0x80), ("end", line.count - 1, 0x02),
                ("line feed", line.count, 0x40),
            ]
        }

        @Test("One bit of a line, wherever it is: it is found, and the line is named first") func flippedBit()
            async throws
        {
            try await Household.open { house in
                let (copy, _) = try await settle(house)
                for index in [0, copy.lines.count / 2, copy.lines.count - 1] {
                    let start = AuditCopy.log(copy.lines[..<index]).count
                    for (name, offset, bit) in try places(in: copy.lines[index]) {
                        var log = copy.log
                        log[start + offset] ^= bit
                        let findings = try await copy.verify(log, head: copy.head).findings(in: copy.path)
                        #expect(
                            findings.first?.hasPrefix("line \(index + 1) ") == true,
                            "\(name) of line \(index + 1): \(findings)")
                    }
                }
            }
        }

        @Test("A line that is taken out, or put in twice, is found, and where") func movedLines() async throws {
            try await Household.open { house in
                let (copy, _) = try await settle(house)
                let index = copy.lines.count / 2
                var without = copy.lines
                without.remove(at: index)
                let missing = try await copy.verify(AuditCopy.log(without), head: copy.head).findings(in: copy.path)
                let place = "it is entry \(index + 2), where entry \(index + 1) should be"
                let words = "line \(index + 1) is out of sequence: \(place)"
                #expect(missing.first?.hasPrefix(words) == true, "\(missing)")
                #expect(missing.first?.hasSuffix("or lines before it are missing") == true)
                var twice = copy.lines
                twice.insert(twice[index], at: index + 1)
                let doubled = try await copy.verify(AuditCopy.log(twice), head: copy.head).findings(in: copy.path)
                #expect(doubled.first?.hasPrefix("line \(index + 2) is out of sequence") == true, "\(doubled)")
            }
        }

        @Test(
            "A tail that is cut off, be it half a line or everything, is found by what audit.head and the device know")
        func cutTail() async throws {
            try await Household.open { house in
                let (copy, told) = try await settle(house)
                let count = copy.lines.count
                let oneLess = AuditCopy.log(copy.lines.dropLast())
                #expect(
                    try await copy.verify(oneLess, head: copy.head).findings(in: copy.path) == [
                        "the log ends at entry \(count - 1), but audit.head says \(count): the end was cut off"
                    ])
                let half = copy.log.dropLast(copy.lines[count - 1].count / 2)
                #expect(
                    try await copy.verify(Array(half), head: copy.head).findings(in: copy.path).first
                        == "line \(count) has no end: its writing was interrupted, or the end of the log was cut off")
                let all = try await copy.verify([], head: copy.head).findings(in: copy.path)
                #expect(all.first == "the log is empty, but audit.head says \(count): the end was cut off")
                #expect(all.last?.contains("device anna/greenhouse was told of entry \(told)") == true)

                // Whoever cuts the one can change the other: then it is the device that knows.
                let short = Array(copy.lines.prefix(told - 1))
                let cut = try await copy.verify(AuditCopy.log(short), head: AuditCopy.head(short))
                    .findings(in: copy.path)
                #expect(cut.count == 1)
                #expect(cut.first?.hasPrefix("the log ends at entry \(told - 1), but ") == true, "\(cut)")
                #expect(cut.first?.contains("device anna/greenhouse was told of entry \(told) on ") == true, "\(cut)")
                #expect(
                    try await copy.verify(copy.log, head: nil).findings(in: copy.path) == [
                        "audit.head is missing or damaged: whether the end was cut off cannot be told"
                    ])
            }
        }

        @Test("A log that is written anew from its second line, with the right hashes, is found by who knows its end")
        func rewritten() async throws {
            try await Household.open { house in
                let (copy, told) = try await settle(house)
                var lines = copy.lines
                let second = String(decoding: lines[1], as: UTF8.self).replacing("\"act\":\"", with: "\"act\":\"no-")
                lines[1] = Array(second.utf8)
                lines = AuditCopy.chained(lines)
                #expect(zip(lines, copy.lines).dropFirst().allSatisfy { $0 != $1 })
                let device = "entry \(told) is not the one that device anna/greenhouse was told on "

                let plain = try await copy.verify(AuditCopy.log(lines), head: copy.head).findings(in: copy.path)
                #expect(plain.count == 2, "\(plain)")
                #expect(plain.first?.hasPrefix(device) == true)
                #expect(
                    plain.last == "entry \(lines.count) is not the one that audit.head names: the log was rewritten")

                let careful = try await copy.verify(AuditCopy.log(lines), head: AuditCopy.head(lines))
                    .findings(in: copy.path)
                #expect(careful.count == 1)
                #expect(careful.first?.hasPrefix(device) == true, "\(careful)")
                #expect(careful.first?.hasSuffix("Z: the log was rewritten") == true)
            }
        }

        @Test(
            "A router that is started on a log that was cut says so, and a device that comes back finds it out",
            arguments: [false, true])
        func cutWhileAway(_ isHeadChanged: Bool) async throws {
            try await Household.open { house in
                let (router, agent) = try await house.settle()
                let running = "\(house.routerData)/audit.log"
                router.signal(SIGTERM)
                #expect(try await router.end() == .exited(0))
                try await agent.errors.next(with: "no link to the router")
                let copy = try AuditCopy(house)
                let short = Array(copy.lines.prefix(2))
                try Data(AuditCopy.log(short)).write(to: URL(filePath: running))
                if isHeadChanged {
                    try Data(AuditCopy.head(short)).write(to: URL(filePath: "\(house.routerData)/audit.head"))
                }

                let again = try await house.startRouter()
                let words = "the log ends at entry 2, but audit.head says \(copy.lines.count): the end was cut off"
                if !isHeadChanged { try await again.errors.hold(words) }
                try await again.errors.hold("the audit log is not the one of which a device was told")
                #expect(again.errors.all.contains { $0.contains(words) } == !isHeadChanged)
                let outcome = try await house.m2m("audit", "--json") { lines in
                    try lines.contains { try JSON($0)["act"] == "audit-mismatch" }
                }
                let entry = try #require(try outcome.json.first { $0["act"] == "audit-mismatch" })
                #expect(entry["who"] == "device greenhouse")
                #expect(try entry["object"].text.wholeMatch(of: /entry \d+/) != nil)
                #expect(entry["result"] == "not the entry of which the device was told")
                // Everybody's log says it, too, and what nobody can undo stays to be seen.
                let list = ["audit", "list", "--data", house.routerData]
                let all = try house.done(await house.run("m2m-router", list)).json
                #expect(
                    all.contains { $0["act"] == "audit-mismatch" && $0["who"] == "the router" } == !isHeadChanged)
                if !isHeadChanged {
                    let verify = ["audit", "verify", "--data", house.routerData]
                    #expect(try await house.run("m2m-router", verify).findings(in: running).first != nil)
                }
            }
        }
    }
}
