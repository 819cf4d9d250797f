import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: the agent links no Foundation of any kind: it would cost more memory than all the rest.
    ///
    /// And the keeper links nothing that whoever audits it would have to read besides libgpiod: no Swift above all.
    @Suite struct LinkedLibrariesTests {
        @Test("The agent needs no Foundation") func agent() throws {
            let needed = try SharedObject(Household.programs + "m2m-agent").needed
            #expect(needed.contains { $0.hasPrefix("libc.so") })
            #expect(needed.contains { $0.hasPrefix("libsqlite3.so") })
            #expect(needed.filter { $0.lowercased().contains("foundation") } == [])
            // The one big part of Foundation that does not have its name.
            #expect(needed.filter { $0.lowercased().contains("icu") } == [])
        }

        @Test("The keeper needs libgpiod and the C library, and nothing else") func keeper() throws {
            let needed = try SharedObject(Made.keeper.path).needed
            #expect(needed.contains("libc.so.6"))
            #expect(needed.filter { $0.hasPrefix("libgpiod.so.") }.count == 1)
            // On some processors the dynamic linker is among them: it has the number that guards the stack.
            let isKnown = { (name: String) in
                name == "libc.so.6" || name.hasPrefix("libgpiod.so.") || name.hasPrefix("ld-linux")
            }
            #expect(needed.filter { !isKnown($0) } == [])
        }

        @Test("Who links Foundation is found out: m2m does, and may") func m2m() throws {
            let needed = try SharedObject(Household.programs + "m2m").needed
            #expect(needed.contains { $0.lowercased().contains("foundation") })
        }
    }
}

/// A program, as the dynamic linker reads it (elf(5)): little-endian and 64 bits wide, as all our machines are.
private struct SharedObject {
    private let file: Data

    init(_ path: String) throws {
        file = try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
        guard file.prefix(6) == Data([0x7F, 0x45, 0x4C, 0x46, 2, 1]) else {
            throw HarnessError(description: "\(path) is no ELF file of 64 bits")
        }
    }

    private struct Segment {
        var type, offset, address, size: Int
    }

    /// The libraries that it needs by name: DT_NEEDED.
    var needed: [String] {
        get throws {
            let entries = segments.filter { $0.type == 2 }.flatMap { dynamic in
                stride(from: dynamic.offset, to: dynamic.offset + dynamic.size, by: 16).map { entry in
                    (tag: number(entry, 8), value: number(entry + 8, 8))
                }
            }
            guard let names = entries.first(where: { $0.tag == 5 })?.value,
                let segment = segments.first(where: {
                    $0.type == 1 && ($0.address..<$0.address + $0.size).contains(names)
                })
            else { throw HarnessError(description: "no dynamic section") }
            let start = names - segment.address + segment.offset
            return entries.filter { $0.tag == 1 }.map { text(start + $0.value) }
        }
    }

    /// The program headers.
    private var segments: [Segment] {
        let (start, size, count) = (number(0x20, 8), number(0x36, 2), number(0x38, 2))
        return (0..<count).map { index in
            let header = start + index * size
            return Segment(
                type: number(header, 4), offset: number(header + 8, 8), address: number(header + 16, 8),
                size: number(header + 32, 8))
        }
    }

    private func number(_ offset: Int, _ size: Int) -> Int {
        file[offset..<offset + size].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    private func text(_ offset: Int) -> String {
        String(decoding: file[offset...].prefix { $0 != 0 }, as: UTF8.self)
    }
}
