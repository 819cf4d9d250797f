import ConfigurationSchema
import TOMLFile
import Testing

@testable import Components
@testable import DeviceManager
@testable import HALSimulated
@testable import m2m_router

/// Docs/Configuration.md says of every key what the code says: name, type, range and default.
@Suite struct ConfigurationDocumentTests {
    private let document: Document

    init() throws {
        document = try Document("Docs/Configuration.md")
    }

    private static let files: [String: [any ConfigurationKey]] = [
        "agent": AgentKeys.file.keys, "agent.device": AgentKeys.device.keys, "agent.router": AgentKeys.router.keys,
        "agent.local": AgentKeys.local.keys, "agent.board": AgentKeys.board.keys, "agent.store": AgentKeys.store.keys,
        "agent.keeper": AgentKeys.keeper.keys, "agent.log": AgentKeys.log.keys,
        "agent.integrity": AgentKeys.integrity.keys,
        "components": AgentKeys.component,
        "components.bmp280.offset": [BMP280.Keys.temperatureOffset, BMP280.Keys.pressureOffset],
        "scenario": ScenarioKeys.file.keys, "scenario.chips": ScenarioKeys.chip.keys,
        "scenario.presses": ScenarioKeys.press.keys, "scenario.wires": ScenarioKeys.wire.keys,
        "scenario.faults": ScenarioKeys.fault.keys,
        "router": RouterConfiguration.schema.keys, "router.certificate": RouterConfiguration.certificate.keys,
        "router.log": RouterConfiguration.log.keys,
    ]
    /// Tables whose keys depend on something else: the kind of value, or the properties of a component.
    private static let special: Set<String> = ["line", "components.report", "scenario.chips.points"]

    private static var schemas: [String: [any ConfigurationKey]] {
        let models = Catalogue.models.map { ("components.\($0.model)", $0.keys) }
        return files.merging(models) { one, _ in one }
    }

    @Test("there is a table for every schema, and a schema for every table")
    func tables() {
        #expect(Set(document.tables.keys) == Set(Self.schemas.keys).union(Self.special))
    }

    @Test("the rows say what the keys say", arguments: Self.schemas.keys.sorted())
    func rows(name: String) throws {
        let keys = try #require(Self.schemas[name])
        let rows = try #require(document.tables[name])
        #expect(rows.map { $0[0] } == keys.map { "`\($0.name)`" })
        for (row, key) in zip(rows, keys) {
            #expect(row[1] == key.kindName, "type of \(key.name)")
            #expect(row[3] == (key.range.isEmpty ? "–" : key.range), "range of \(key.name)")
            #expect(row[4].filter { $0 != "`" } == Self.standard(key), "default of \(key.name)")
        }
    }

    private static func standard(_ key: any ConfigurationKey) -> String {
        switch key.presence {
        case .required: "required"
        case .optional(let text): text.isEmpty ? "–" : text
        }
    }

    @Test("the examples are right, and one that is wrong has the mistakes that are shown")
    func examples() {
        let blocks = document.blocks.filter { $0.kind.hasPrefix("toml") }
        #expect(Set(blocks.map(\.kind)) == ["toml", "toml wrong", "toml scenario", "toml router"])
        for block in blocks {
            var findings = Findings(file: "agent.toml")
            let table = TOMLFile.parse(Self.whole(block), &findings)
            switch block.kind {
            case "toml scenario": _ = Scenario.read(table, &findings)
            case "toml router":
                _ = RouterConfiguration.schema.check(table, name: "", at: Position(line: 1, column: 1), &findings)
            default: _ = AgentConfiguration.read(table, &findings)
            }
            #expect(findings.isEmpty == (block.kind != "toml wrong"), "line \(block.line): \(findings.lines)")
            for line in findings.lines { #expect(document.lines.contains(line), "not shown: \(line)") }
        }
    }

    /// An example that shows only a part of a file, with the rest that every file has.
    private static func whole(_ block: Document.Block) -> String {
        block.kind == "toml" && !block.text.contains("[device]") ? "[device]\nid = \"x\"\n\(block.text)" : block.text
    }
}
