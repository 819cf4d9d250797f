import ConfigurationSchema
import TOMLFile
import Testing

@Suite struct TOMLFileTests {
    private func parse(_ text: String) -> (Table, [String]) {
        var findings = Findings(file: "f.toml")
        return (TOMLFile.parse(text, &findings), findings.lines)
    }

    @Test func everyKeyAndValueHasItsPlace() throws {
        let (table, lines) = parse("[device]\nid = \"x\"\n\n[components.climate]\n  interval = \"2s\"\n  on = true\n")
        #expect(lines.isEmpty)
        let device = try #require(table["device"])
        guard case .table(let inside) = device.node.value else { return #expect(Bool(false)) }
        #expect(inside["id"]?.position == Position(line: 2, column: 1))
        #expect(inside["id"]?.node.position == Position(line: 2, column: 6))
        guard case .table(let components) = table["components"]?.node.value,
            case .table(let climate) = components["climate"]?.node.value
        else { return #expect(Bool(false)) }
        #expect(components["climate"]?.position == Position(line: 4, column: 13))
        #expect(climate.entries.map(\.key) == ["interval", "on"])
        #expect(climate["interval"]?.position == Position(line: 5, column: 3))
    }

    /// A line with a name of very many parts where it says DOTS.
    private func dotted(_ line: String, count: Int = 20_000) -> String {
        line.replacing("DOTS", with: String(repeating: "a.", count: count) + "a")
    }

    @Test(
        "a key of very many parts is a mistake, and no end of the stack",
        arguments: [
            "DOTS = 1", "[DOTS]", "[[DOTS]]", "x = { DOTS = 1 }", "\"#=\".DOTS = 1", "'\\'.DOTS = 1",
            "x = [\"\"\"a\"\"\"\", '''b''', { y = \"\\\"\", DOTS = 1 }]",
        ])
    func deepKeys(line: String) {
        let (_, lines) = parse("[x]\n\(dotted(line))\n")
        #expect(lines.count == 1)
        #expect(lines.first?.hasPrefix("f.toml:2:1: error: this name has more than 256 parts") == true)
    }

    @Test("the parts of a name are those on the whole way to its value")
    func nestedKeys() {
        let (_, lines) = parse(dotted("x = { DOTS = { DOTS = 1 } }\n", count: 200))
        #expect(lines.first?.hasPrefix("f.toml:1:1: error: this name has more than 256 parts") == true)
    }

    @Test(
        "dots that are no part of a name are as many as anybody likes",
        arguments: [
            "# DOTS", "x = \"DOTS\"", "x = 'DOTS'", "x = \"\"\"\nDOTS\"\nDOTS\"\"\"", "x = '''DOTS'\nDOTS'''",
        ])
    func manyDots(line: String) {
        #expect(parse(dotted(line) + "\n").1 == [])
    }

    @Test("many names of a few parts are as many as anybody likes")
    func manyNames() {
        #expect(parse("x = [\(String(repeating: "1.5, ", count: 1_000))1.5]\n").1 == [])
        #expect(parse("x = [\(String(repeating: "{ a.b.c = 1 }, ", count: 200))]\n").1 == [])
        #expect(parse((0..<200).map { "[a.b.c\($0)]\nd.e = 1.5\n" }.joined()).1 == [])
    }

    @Test("what toml++ takes for granted is a mistake where it is not so, and the rest of the file is read")
    func surprises() throws {
        let (table, lines) = parse(
            "[.a]\nx = 1\n[ü]\n[[=]]\n[fine]\na = [ }\nb = { , }\n[[ , ]]\n[also]\nd = 4\n")
        #expect(lines.map { $0.split(separator: ":")[1] } == ["1", "3", "4", "6", "7", "8"])
        #expect(lines.allSatisfy { $0.contains("this is no TOML: ") })
        guard case .table(let also) = table["also"]?.node.value else { return #expect(Bool(false)) }
        #expect(also.entries.map(\.key) == ["d"])
    }

    @Test("lines that end as on Windows are lines: every mistake is found, and the rest is read")
    func otherLineEnds() throws {
        let (table, lines) = parse("[device]\r\nid = x\r\nlabel = \"a\"\r\n[broken\r\ny = 1\r\n")
        #expect(lines.map { $0.split(separator: ":")[1] } == ["2", "4"])
        guard case .table(let device) = table["device"]?.node.value else { return #expect(Bool(false)) }
        #expect(device.entries.map(\.key) == ["label"])
    }

    @Test("the longest file is read in a moment, whatever is in it", .timeLimit(.minutes(1)))
    func longFiles() {
        let (list, lines) = parse("x = [\(String(repeating: "1,", count: 400_000))]\n")
        #expect(lines.isEmpty)
        guard case .array(let nodes) = list["x"]?.node.value else { return #expect(Bool(false)) }
        #expect(nodes.count == 400_000)
        let (table, _) = parse((0..<80_000).map { "k\($0) = 1\n" }.joined())
        #expect(table.entries.count == 80_000)
    }

    @Test func allKindsOfValues() {
        let (table, lines) = parse(
            "a = 0x76\nb = 1.5\nc = false\nd = 2026-11-21\ne = [1, \"two\", { three = 3 }]\nf = '''text'''\n")
        #expect(lines.isEmpty)
        #expect(table["a"]?.node.value == .integer(0x76))
        #expect(table["b"]?.node.value == .number(1.5))
        #expect(table["c"]?.node.value == .boolean(false))
        #expect(table["d"]?.node.value == .date)
        #expect(table["f"]?.node.value == .string("text"))
        guard case .array(let nodes) = table["e"]?.node.value else { return #expect(Bool(false)) }
        #expect(nodes.count == 3)
        #expect(nodes[1].position == Position(line: 5, column: 9))
    }

    @Test func tablesComeInTheOrderOfTheFile() {
        let (table, _) = parse("[zebra]\n[apple]\n[mango]\n")
        #expect(table.entries.map(\.key) == ["zebra", "apple", "mango"])
    }

    @Test func everyLineThatIsNoTOMLIsFound() throws {
        let (table, lines) = parse(
            "[device]\nid = greenhouse\nlabel = \"ok\"\nlabel = \"twice\"\n[broken\nx = 1\n[router]\nurl = \"u\"\n")
        #expect(lines.count == 3)
        #expect(lines.map { $0.split(separator: ":")[1] } == ["2", "4", "5"])
        #expect(lines.allSatisfy { $0.contains("this is no TOML: ") })
        // What could be read is there, and nothing slid into a table where it does not belong.
        guard case .table(let device) = table["device"]?.node.value,
            case .table(let router) = table["router"]?.node.value
        else { return #expect(Bool(false)) }
        #expect(device.entries.map(\.key) == ["label"])
        #expect(router.entries.map(\.key) == ["url"])
        #expect(table.entries.count == 2)
    }

    @Test(arguments: [
        "a = \"", "a = [1,\n2", "=", "[[", "\u{1}", "a = 1 b = 2", "a = '''\nnever ends", "'", "a.b = 1\na = 2",
    ])
    func whateverItIsItEnds(text: String) {
        let (_, lines) = parse(text)
        #expect(!lines.isEmpty)
    }

    @Test func filesThatCannotBeRead() throws {
        var findings = Findings(file: "f")
        #expect(throws: TOMLFileError.self) { try TOMLFile.read("/nonexistent/agent.toml", &findings) }
        #expect {
            try TOMLFile.read("/nonexistent/agent.toml", &findings)
        } throws: {
            "\($0)" == "/nonexistent/agent.toml does not exist"
        }
        #expect { try TOMLFile.read("/bin/sh", &findings) } throws: { "\($0)".contains("is no text") }
        #expect { try TOMLFile.read("/tmp", &findings) } throws: { "\($0)".contains("cannot be read") }
        #expect { try TOMLFile.read("/dev/zero", &findings) } throws: { "\($0)".contains("longer than") }
    }
}
