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

    @Test("a key of very many parts is a mistake, and no end of the stack", arguments: ["b = 1", "]"])
    func deepKeys(end: String) {
        let dots = String(repeating: "a.", count: 20_000)
        let (_, lines) = parse("[x]\n\(end == "]" ? "[" : "")\(dots)a\(end)\n")
        #expect(lines.count == 1)
        #expect(lines.first?.hasPrefix("f.toml:2:1: error: this name has more than 256 parts") == true)
        let (_, fine) = parse("list = [\(String(repeating: "1.5, ", count: 1_000))1.5]\n")
        #expect(fine.isEmpty)
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
