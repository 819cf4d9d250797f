import ConfigurationSchema
import DeviceModel
import Testing

@Suite struct TableSchemaTests {
    private static let interval = Key.optional(
        "interval", .duration(.milliseconds(100)...(.seconds(60))), default: .seconds(2), shown: "2s", "how often")
    private static let address = Key.required("address", .integer(0x08...0x77, isHexadecimal: true), "where")
    private static let label = Key<String?>.optional("label", .nonEmptyString, "what it is called")
    private static let mode = Key.optional("mode", .choice(["slow": 1, "fast": 2]), default: 1, shown: "slow", "how")
    private static let schema = TableSchema([interval, address, label, mode])

    private func check(_ entries: [(String, Node.Value)]) -> (CheckedTable?, [String]) {
        var findings = Findings(file: "f.toml")
        let table = Table(
            entries.enumerated().map { index, entry in
                let position = Position(line: index + 2, column: 1)
                let value = Node(entry.1, at: Position(line: index + 2, column: 10))
                return Table.Entry(key: entry.0, position: position, node: value)
            })
        let checked = Self.schema.check(table, name: "components.x", at: Position(line: 1, column: 1), &findings)
        return (checked, findings.lines)
    }

    @Test func valuesAndDefaults() throws {
        let (checked, lines) = check([("address", .integer(0x76)), ("interval", .string("5s"))])
        #expect(lines.isEmpty)
        let table = try #require(checked)
        #expect(table[Self.address] == 0x76)
        #expect(table[Self.interval] == .seconds(5))
        #expect(table[Self.label] == nil)
        #expect(table[Self.mode] == 1)
        #expect(table.position(of: Self.interval) == Position(line: 3, column: 10))
    }

    @Test func anOptionalValueThatIsThere() throws {
        let (checked, _) = check([("address", .integer(0x76)), ("label", .string("x"))])
        #expect(try #require(checked)[Self.label] == "x")
    }

    @Test func allMistakesAtOnceEachInItsPlace() {
        let (checked, lines) = check([
            ("adress", .integer(0x76)), ("interval", .integer(2)), ("label", .string("")), ("mode", .string("fats")),
        ])
        #expect(checked == nil)
        #expect(
            lines == [
                "f.toml:1:1: error: 'address' is missing in [components.x]: where",
                "f.toml:2:1: error: unknown key 'adress' in [components.x]; did you mean 'address'?",
                "f.toml:3:10: error: 'interval' must be a duration in quotes such as \"2s\", not the number 2",
                "f.toml:4:10: error: 'label' must not be empty",
                "f.toml:5:10: error: 'mode' must be \"slow\" or \"fast\", not \"fats\"; did you mean 'fast'?",
            ])
    }

    @Test(arguments: [
        (Node.Value.string("10ms"), "must be from 100ms to 1m, not 10ms"), (.string("2"), "must be a duration"),
        (.boolean(true), "not true"), (.array([]), "not a list"), (.table(Table()), "not a table"),
        (.date, "not a date"),
    ])
    func wrongDurations(value: Node.Value, words: String) {
        let (_, lines) = check([("address", .integer(8)), ("interval", value)])
        #expect(lines.count == 1)
        #expect(lines.first?.contains(words) == true)
    }

    @Test func hexadecimalRanges() {
        let (_, lines) = check([("address", .integer(0x99))])
        #expect(lines == ["f.toml:2:10: error: 'address' must be from 0x8 to 0x77, not 0x99"])
    }
}

@Suite struct SuggestionTests {
    @Test(arguments: [
        ("adress", "address"), ("inteval", "interval"), ("lable", "label"), ("lnie", "line"), ("pul-up", "pull-up"),
    ])
    func nearNamesAreSuggested(name: String, known: String) {
        let all = ["address", "interval", "label", "line", "pull-up", "model"]
        #expect(suggestion(for: name, among: all) == "; did you mean '\(known)'?")
    }

    @Test func farNamesAreNot() {
        #expect(suggestion(for: "temperature", among: ["address", "line"]).isEmpty)
        #expect(suggestion(for: "x", among: []).isEmpty)
    }
}

@Suite struct ValueKindTests {
    private func read<V>(_ kind: ValueKind<V>, _ value: Node.Value, file: String = "f") -> (V?, [String]) {
        var findings = Findings(file: file)
        let node = Node(value, at: Position(line: 1, column: 1))
        let read = kind.read(node, KeyPlace(key: "k", table: "t"), &findings)
        return (read, findings.all.map(\.message))
    }

    @Test func lines() {
        let kind = ValueKind<LineReference>.line
        #expect(read(kind, .string("GPIO17")).0 == .name("GPIO17"))
        let start = Position(line: 1, column: 1)
        let table = Table([
            Table.Entry(key: "chip", position: start, node: Node(.string("pinctrl-rp1"), at: start)),
            Table.Entry(key: "offset", position: start, node: Node(.integer(17), at: start)),
        ])
        #expect(read(kind, .table(table)).0 == .chip("pinctrl-rp1", offset: 17))
        #expect(read(kind, .integer(17)).1.first?.contains("\"GPIO17\"") == true)
        #expect(read(kind, .string("pin 1")).1.first?.contains("pin 1") == true)
    }

    @Test("a hint names what is nearest, and nothing where two are equally near")
    func hints() {
        #expect(suggestion(for: "adress", among: ["address", "bus"]) == "; did you mean 'address'?")
        #expect(suggestion(for: "of", among: ["on", "off"]) == "; did you mean 'off'?")
        #expect(suggestion(for: "ox", among: ["on", "of"]) == "")
        #expect(suggestion(for: "colour", among: ["bus", "line"]) == "")
    }

    @Test func pathsStartFromTheFolderOfTheFile() {
        #expect(read(.path, .string("/run/a.sock")).0 == "/run/a.sock")
        #expect(read(.path, .string("state"), file: "/etc/m2m/agent.toml").0 == "/etc/m2m/state")
        #expect(read(.path, .string("state"), file: "agent.toml").0 == "state")
        #expect(read(.path, .string("~/state")).1 == ["'k' must be a path written in full, not \"~/state\""])
        #expect(read(.path, .string("")).0 == nil)
    }

    @Test("a text may be as long as one in a message, and no longer")
    func longTexts() {
        let longest = String(repeating: "x", count: 4_096)
        #expect(read(.nonEmptyString, .string(longest)).0 == longest)
        #expect(read(.nonEmptyString, .string(longest + "x")).1 == ["'k' must not be longer than 4096 bytes"])
    }

    @Test func quantities() {
        let kind = ValueKind<Double>.quantity(.length, -500...9_000)
        #expect(read(kind, .string("212 m")).0 == 212)
        #expect(
            read(kind, .integer(212)).1 == [
                "'k' must be a length in quotes such as \"1.00 m\", its unit m, cm, mm or km, not the number 212"
            ])
        #expect(read(kind, .string("20 km")).1 == ["'k' must be from -500.00 m to 9000.00 m, not 20 km"])
    }

    @Test func listsTakeOneValueToo() {
        let kind = ValueKind<[String]>.list(of: .string)
        #expect(read(kind, .string("a")).0 == ["a"])
        let position = Position(line: 1, column: 1)
        #expect(
            read(kind, .array([Node(.string("a"), at: position), Node(.string("b"), at: position)])).0 == ["a", "b"])
        #expect(read(kind, .array([Node(.integer(1), at: position)])).0 == nil)
    }
}
