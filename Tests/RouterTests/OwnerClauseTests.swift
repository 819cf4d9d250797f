import Foundation
import TestSupport
import Testing

/// Promise: no transaction of the router's database forgets whose the data is.
///
/// Each names the owner, in a statement or by asking first whether the device is theirs. A new one that does not fails
/// here, before it is even called.
@Suite struct OwnerClauseTests {
    /// Those that name no owner, and why they need not.
    private static let exempt: [String: String] = [
        "init": "makes the tables",
        "addAccount": "makes an account, on the router's own machine",
        "account": "this is how a person says who they are",
        "session": "by its token: this, too",
        "device": "by its key: this is how a device says who it is",
        "useClaim": "the secret of a claim code says whose it is",
        "accounts": "lists all accounts, on the router's own machine",
        "unlock": "unlocks an account by its name, on the router's own machine",
        "removeAccount": "removes an account by its name, on the router's own machine",
    ]

    /// A function of the store with a transaction in it.
    struct Transaction: CustomStringConvertible {
        var name: String
        var text: String

        /// Whether it names the owner: a statement does, or it asks whether the device is theirs.
        var namesOwner: Bool {
            text.contains("owner = ?") || text.contains("owner.id") || text.contains("Self.has(db,")
        }

        var description: String { name }
    }

    private static func transactions() throws -> [Transaction] {
        let folder = Repository.path("Sources/Router/Storage")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("RouterStore") }
        return try files.sorted().flatMap { file -> [Transaction] in
            let text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
            return functions(text).filter { $0.text.contains("database.read") || $0.text.contains("database.write") }
        }
    }

    /// The functions of a file, each from its name to the next one's.
    private static func functions(_ text: String) -> [Transaction] {
        var found: [Transaction] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let words = line.split(whereSeparator: { " (<".contains($0) })
            if line.hasPrefix("    "), !line.hasPrefix("     "),
                let index = words.firstIndex(where: { $0 == "func" || $0 == "init" })
            {
                let name = words[index] == "init" ? "init" : String(words[index + 1])
                found.append(Transaction(name: name, text: ""))
            }
            if !found.isEmpty, !line.drop(while: { $0 == " " }).hasPrefix("//") {
                found[found.count - 1].text += line + "\n"
            }
        }
        return found
    }

    @Test("Each transaction names the owner, or says why it need not")
    func all() throws {
        let transactions = try Self.transactions()
        #expect(transactions.count > 25)
        for transaction in transactions where Self.exempt[transaction.name] == nil {
            #expect(transaction.namesOwner, "\(transaction.name) forgets whose the data is")
        }
        for name in Self.exempt.keys {
            #expect(transactions.contains { $0.name == name } || name == "init", "\(name) is there no more")
        }
    }

    @Test("One clause less, in any of them, is found")
    func mutants() throws {
        var mutants = 0
        for transaction in try Self.transactions() where Self.exempt[transaction.name] == nil {
            var mutant = transaction
            for clause in ["owner = ?", "owner.id", "Self.has(db,"] {
                mutant.text = mutant.text.replacingOccurrences(of: clause, with: "1")
            }
            mutants += 1
            #expect(!mutant.namesOwner, "\(transaction.name)")
        }
        #expect(mutants > 20)
    }
}
