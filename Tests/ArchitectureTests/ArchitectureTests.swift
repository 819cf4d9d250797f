import Testing

/// Arrows only point down: what Package.swift says, what the files import, and what ``House`` explains are the same.
@Suite(.timeLimit(.minutes(5))) struct ArchitectureTests {
    private let targets: [Manifest.Target]

    init() throws {
        targets = try Manifest.load().targets
    }

    private static func storey(_ name: String) -> Int? {
        House.storeys.firstIndex { $0.contains(name) }
    }

    @Test("every target has its storey, and every arrow between two points down")
    func arrowsPointDown() {
        #expect(Set(House.storeys.joined()) == Set(targets.filter { !$0.isTest }.map(\.name)))
        for target in targets where !target.isTest {
            for module in target.imports {
                guard let to = Self.storey(module), let from = Self.storey(target.name) else { continue }
                #expect(to < from, "\(target.name) is on storey \(from), and \(module), which it uses, on \(to)")
            }
        }
    }

    @Test("every dependency has its reason, and every reason its dependency")
    func everyArrowHasAReason() {
        for target in targets where !target.isTest {
            let explained = Set(House.arrows[target.name, default: [:]].keys)
            let used = target.imports.subtracting(House.common)
            #expect(
                used.isSubset(of: explained),
                "\(target.name): no reason in House.swift for \(used.subtracting(explained))")
            let system: Set<String> = ["Foundation", "FoundationEssentials", "Dispatch"]
            let stale = explained.subtracting(used).subtracting(system)
            #expect(stale.isEmpty, "\(target.name): House.swift explains what is not used: \(stale)")
        }
        #expect(Set(House.arrows.keys).isSubset(of: Set(targets.map(\.name))))
    }

    @Test("every file imports only what its own target depends on, and every dependency is imported by some file")
    func importsAreDirectDependencies() throws {
        for target in targets where !target.folder.contains("/C") {
            let explained = Set(House.arrows[target.name, default: [:]].keys)
            var imported: Set<String> = []
            for file in try SourceFile.all(in: target.folder, excluding: target.exclude) {
                let allowed = target.imports.union(House.common).union(target.isTest ? Self.testing : explained)
                let foreign = file.imports.subtracting(allowed)
                #expect(
                    foreign.isEmpty, "\(file.path) imports \(foreign.sorted()), which \(target.name) does not depend on"
                )
                imported.formUnion(file.imports)
            }
            // Programs are dependencies of tests so that they are built, not so that they are imported.
            let programs = Set(targets.filter { $0.type == "executable" }.map { $0.name.replacing("-", with: "_") })
            let unused = target.imports.union(explained).subtracting(imported).subtracting(programs)
            #expect(unused.isEmpty, "\(target.name) depends on \(unused.sorted()), which no file imports")
        }
    }

    private static let testing: Set<String> = ["Testing", "Foundation", "FoundationEssentials", "Dispatch"]

    @Test("nothing that the agent is made of imports Foundation")
    func theAgentHasNoFoundation() throws {
        var reached: Set<String> = ["m2m-agent"]
        var open = reached
        while let name = open.popFirst() {
            let new: Set<String> = targets.first { $0.name == name }?.imports.filter { Self.storey($0) != nil } ?? []
            open.formUnion(new.subtracting(reached))
            reached.formUnion(new)
        }
        #expect(reached.count > 15)
        for target in targets where reached.contains(target.name) {
            for file in try SourceFile.all(in: target.folder, excluding: target.exclude) {
                #expect(!file.imports.contains { $0.hasPrefix("Foundation") }, "\(file.path)")
            }
        }
    }
}
