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
        "hasSession": "by the name that somebody gives before it is known who they are",
        "unlock": "unlocks an account by its name, on the router's own machine",
        "removeAccount": "removes an account by its name, on the router's own machine",
        "changeSecrets": "changes an account by its name, on the router's own machine",
    ]

    /// Statements that name no owner in a function that does, and why they need not.
    private static let free: [String: String] = [
        "DELETE FROM claims WHERE expires <": "tidies up, whoever's it is",
        "DELETE FROM pending WHERE since <": "tidies up, whoever's it is",
        "INSERT OR REPLACE INTO nobodysEnrolment": "is in nobody's account",
        "SELECT id FROM accounts WHERE name =": "a device that is let in nowhere yet says whom it belongs to",
        "SELECT id FROM devices WHERE key =": "a key is good for one device, whoever's it is",
        "UPDATE accounts SET isLocked =": "the account is the owner",
        "UPDATE accounts SET wrongCodes =": "the account is the owner",
        "SELECT isLocked FROM accounts WHERE id =": "the account is the owner",
    ]

    /// A function of the store with a transaction in it.
    struct Transaction: CustomStringConvertible {
        var name: String
        var text: String

        /// Its statements that name no owner, where its transaction has not asked first whether the device is theirs.
        var ownerless: [String] {
            text.components(separatedBy: "database.").dropFirst().flatMap { transaction -> [String] in
                guard !transaction.contains("Self.has(db,") else { return [] }
                let statements = transaction.components(separatedBy: "sql:").dropFirst().map { statement in
                    statement.components(separatedBy: "arguments:")[0]
                        .split { $0.isWhitespace || $0 == "\"" }.joined(separator: " ")
                }
                return statements.isEmpty ? ["what it calls"] : statements
            }.filter { statement in
                !statement.contains(/owner = \?|INSERT INTO \w+ \([^)]*\bowner\b|FROM devices WHERE id = \?5 AND owner/)
                    && !OwnerClauseTests.free.keys.contains { statement.hasPrefix($0) }
            }
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

    @Test("Each statement names the owner, or says why it need not")
    func all() throws {
        let transactions = try Self.transactions()
        #expect(transactions.count > 25)
        for transaction in transactions where Self.exempt[transaction.name] == nil {
            #expect(transaction.ownerless == [], "\(transaction.name) forgets whose the data is")
        }
        for name in Self.exempt.keys {
            #expect(transactions.contains { $0.name == name } || name == "init", "\(name) is there no more")
        }
    }

    private static let clauses = [
        "AND owner = ?", "WHERE owner = ?", "WHERE d.owner = ?", "WHERE s.owner = ?", "Self.has(db,",
    ]

    @Test("One clause less, whichever it is, is found")
    func mutants() throws {
        var mutants = 0
        for transaction in try Self.transactions() where Self.exempt[transaction.name] == nil {
            for clause in Self.clauses {
                for place in transaction.text.ranges(of: clause) {
                    var mutant = transaction
                    mutant.text.removeSubrange(place)
                    mutants += 1
                    #expect(!mutant.ownerless.isEmpty, "\(transaction.name): \(clause)")
                }
            }
        }
        #expect(mutants > 20)
    }
}
