public import DeviceModel

/// The router's accounts, as the person at the router's own machine sees them.
public struct RouterAdministration: Sendable {
    let store: RouterStore
    let hasher: SecretHasher
    private let (folder, time): (String, any TimeSource)

    /// An account in the list.
    public struct ListedAccount: Hashable, Sendable {
        /// Its name.
        public let name: String
        /// Whether five wrong codes have locked it.
        public let isLocked: Bool
    }

    /// Opens the router's database, made when it is not there.
    ///
    /// - Parameters:
    ///   - dataDirectory: The router's folder.
    ///   - time: The clock.
    /// - Throws: An ``ExplainedError`` when the folder or the database can't be used.
    public init(dataDirectory: String, time: any TimeSource) throws {
        try SafeFile.makeFolder(dataDirectory)
        let pepper = try Self.pepper("\(dataDirectory)/pepper", database: "\(dataDirectory)/router.db")
        store = try RouterStore(path: "\(dataDirectory)/router.db", time: time)
        hasher = SecretHasher(pepper: pepper)
        (folder, self.time) = (dataDirectory, time)
    }

    /// Checks that an account of a name can be made, before anybody is asked for its secrets.
    ///
    /// - Parameter newName: The name.
    /// - Throws: ``RouterProblem`` when it can't be a name, or is taken.
    public func check(newName: String) async throws {
        try Credentials.check(name: newName)
        if try await store.account(newName) != nil { throw RouterStore.taken(newName) }
    }

    /// Makes an account.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - password: Its password.
    ///   - code: Its security code: six digits.
    /// - Throws: ``RouterProblem`` when one of them can't be, or there is such an account; it is there all the same where
    ///   only the audit log can't be written.
    public func addAccount(_ name: String, password: String, code: String) async throws {
        try Credentials.check(name: name)
        try Credentials.check(password: password)
        try Credentials.check(code: code)
        try await store.addAccount(
            name, password: try await hasher.hash(password: password), code: try await hasher.hash(code: code))
        try await write(.accountAdded, try await store.account(name)?.owner, name)
    }

    /// All accounts, by name.
    public func accounts() async throws -> [ListedAccount] {
        try await store.accounts().map { ListedAccount(name: $0.name, isLocked: $0.isLocked) }
    }

    /// Unlocks an account that five wrong codes have locked.
    ///
    /// - Throws: ``RouterProblem`` when there is no such account.
    public func unlock(_ name: String) async throws {
        try await write(.unlocked, try await owner(name), name)
        guard try await store.unlock(name) else { throw Self.unknown(name) }
    }

    /// Checks that there is an account, before anybody is asked for its secrets.
    ///
    /// - Throws: ``RouterProblem`` when there is none.
    public func check(name: String) async throws {
        _ = try await owner(name)
    }

    /// Gives an account another password and another security code, opens it, and ends all its sessions.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - password: Its new password.
    ///   - code: Its new security code: six digits.
    /// - Throws: ``RouterProblem`` when one of them can't be, or there is no such account.
    public func changeSecrets(_ name: String, password: String, code: String) async throws {
        try Credentials.check(password: password)
        try Credentials.check(code: code)
        let (password, code) = (try await hasher.hash(password: password), try await hasher.hash(code: code))
        try await write(.accountChanged, try await owner(name), name)
        guard try await store.changeSecrets(name, password: password, code: code) else { throw Self.unknown(name) }
    }

    /// Removes an account with its devices and their history.
    ///
    /// - Throws: ``RouterProblem`` when there is no such account.
    public func removeAccount(_ name: String) async throws {
        try await write(.accountRemoved, try await owner(name), name)
        guard try await store.removeAccount(name) else { throw Self.unknown(name) }
    }

    private func owner(_ name: String) async throws -> RouterStore.Owner {
        guard let account = try await store.account(name) else { throw Self.unknown(name) }
        return account.owner
    }

    /// What is done from here stands in the audit log, too.
    private func write(_ act: AuditAct, _ owner: RouterStore.Owner?, _ name: String) async throws {
        try await AuditDesk(folder: folder, time: time).write(act, .administrator(of: owner), name)
    }

    private static func unknown(_ name: String) -> RouterProblem {
        RouterProblem(.notFound, name, "there is no account '\(name)'; `m2m-router user list` shows them all")
    }

    /// The secret that goes into security codes, kept in a file of its own, outside the database and its backups.
    ///
    /// It is made with the database. Another one would make every security code wrong, and lock every account.
    private static func pepper(_ path: String, database: String) throws -> [UInt8] {
        let found = try SafeFile.read(path)
        if let found, found.count == 32 { return found }
        guard found == nil, !SafeFile.exists(database) else {
            throw RouterProblem(
                .systemFailure, path,
                "\(path) is \(found == nil ? "missing" : "damaged"), without which no security code is right: "
                    + "restore it from a backup of its own")
        }
        let pepper = SecretHasher.random(32)
        try SafeFile.write(pepper, to: path)
        return pepper
    }
}
