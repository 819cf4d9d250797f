import DeviceModel
import GRDB
import Synchronization
import Wire

/// Decides who may come in: passwords, security codes and sessions.
struct LoginDesk: Sendable {
    /// Where a person's connection comes from.
    struct Origin: Hashable, Sendable {
        /// The address, without its port.
        var source: String
        /// The program, as it calls itself.
        var agent = ""
    }

    /// A session that was noted as used so short a time ago is not noted again: that costs the disk a write.
    private static let precision: Duration = .seconds(10)

    private let store: RouterStore
    private let hasher: SecretHasher
    private let time: any TimeSource
    private let audit: AuditDesk
    private let shared: Shared
    /// Who is told when a session ends.
    let endings = SessionEnds()

    /// What all connections share.
    private final class Shared: Sendable {
        let throttle = Mutex(LoginThrottle())
        let places = Mutex(WorkPlaces())
        /// The accounts of which a code is being checked: one at a time, so that five guesses are not fifty.
        let checking = Mutex<Set<Int64>>([])
        /// When sessions were used last of which the disk did not take it: as many as there are sessions at most.
        let unwritten = Mutex<[[UInt8]: Timestamp]>([:])
    }

    init(store: RouterStore, hasher: SecretHasher, audit: AuditDesk, time: any TimeSource) {
        self.store = store
        self.hasher = hasher
        self.audit = audit
        self.time = time
        shared = Shared()
    }

    // MARK: Passwords

    /// An unknown user, a wrong password and a locked account get the same answer, after the same work.
    private static let wrong = Failure(
        .notAuthenticated,
        "name or password is wrong, or the account is locked (`m2m-router user unlock NAME` on the router's machine)")

    /// Checks name and password.
    ///
    /// - Returns: The account, of which the security code is wanted next.
    /// - Throws: ``Failure``.
    func check(_ login: Login, from address: String) async throws -> RouterStore.Account {
        let source = SourceNetwork.of(address)
        guard login.user.utf8.count <= Credentials.nameMaximum, login.password.utf8.count <= Credentials.passwordMaximum
        else { throw Self.wrong }
        if let delay = shared.throttle.withLock({ $0.delay(account: login.user, source: source, at: time.now) }) {
            throw Failure(
                .busy,
                "too many wrong passwords, or too many tries at once; try again in \(Int(delay.seconds.rounded(.up))) s",
                retryAfter: delay)
        }
        let isKnown = try await store.hasSession(login.user, from: address)
        guard shared.places.withLock({ $0.take(source, isKnown: isKnown) }) else {
            throw Failure(.busy, "too many people log in at the moment", retryAfter: .seconds(5))
        }
        defer { shared.places.withLock { $0.leave(source) } }
        // Counted before it is looked at, so that many at once are not all the first.
        shared.throttle.withLock { $0.failed(account: login.user, source: source, at: time.now) }
        let account = try await store.account(login.user)
        let isRight = try await hasher.isRight(password: login.password, account?.password)
        guard let account, isRight, !account.isLocked else {
            audit.noteFailure(
                .loginFailed, .stranger(login.user, account?.owner, from: address),
                result: account?.isLocked == true && isRight ? "the account is locked" : "wrong name or password")
            throw Self.wrong
        }
        shared.throttle.withLock { $0.succeeded(account: login.user, source: source) }
        return account
    }

    // MARK: Codes

    /// Checks a security code: each wrong one counts, and the fifth in a row locks the account.
    ///
    /// - Throws: ``Failure``.
    func check(code: String, of account: RouterStore.Account, from source: String) async throws {
        let id = account.owner.id
        guard shared.checking.withLock({ $0.insert(id).inserted }) else {
            throw Failure(
                .busy, "another security code of this account is being checked; try again", retryAfter: .seconds(1))
        }
        defer { shared.checking.withLock { _ = $0.remove(id) } }
        // As it is now: since the password was given, somebody may have changed the secrets, or removed the account.
        let known = try await store.account(account.owner.name)
        guard let known, known.owner.id == id else { throw Self.wrong }
        try await store.countCode(account.owner)
        let isRight = try await hasher.isRight(code: code, known.code)
        if isRight, try await store.forgetWrongCodes(account.owner) { return }
        // The account may have been locked since the password was given: then no code is right.
        let isLocked = isRight ? true : try await store.lockIfDue(account.owner)
        let party = AuditParty.person(account.owner, from: source)
        audit.noteFailure(.codeFailed, party, result: isRight ? "the account is locked" : "wrong security code")
        if isLocked, !isRight { audit.note(.locked, party) }
        throw Failure(
            .notAuthenticated,
            isLocked
                ? "the security code is wrong, or the account is locked now; `m2m-router user unlock \(account.owner.name)` on the router's machine unlocks it"
                : "the security code is wrong")
    }

    /// The account of a session, of which the security code is wanted.
    ///
    /// - Throws: ``Failure`` when it is locked or gone.
    func account(of session: Session) async throws -> RouterStore.Account {
        guard let account = try await store.account(session.owner.name), account.owner == session.owner,
            !account.isLocked
        else { throw Self.wrong }
        return account
    }

    /// The right security code of a session's account was given.
    ///
    /// - Throws: ``Failure`` when the session has ended meanwhile.
    func confirm(_ session: Session, from source: String) async throws {
        var session = session
        session.use(at: time.timestamp, withCode: true)
        guard try await store.update(session) else { throw Self.ended }
        audit.note(.codeConfirmed, .person(session.owner, from: source))
    }

    // MARK: Sessions

    /// Begins a session.
    ///
    /// - Returns: The session and the token that brings it back.
    func begin(_ owner: RouterStore.Owner, from origin: Origin) async throws -> (Session, token: String) {
        let token = SecretHasher.random(32).hexadecimal
        let session = Session(
            tokenHash: Digest.sha256(token.utf8), owner: owner, name: SecretHasher.random(4).hexadecimal,
            source: origin.source, agent: origin.agent.auditText(64), at: time.timestamp)
        let party = AuditParty.person(owner, from: origin.source)
        try await audit.write(.login, party, "session \(session.name)")
        do {
            try await store.add(session)
        } catch {
            audit.note(.login, party, "session \(session.name)", result: "not done: \(error.explanation)")
            throw error
        }
        return (session, token)
    }

    /// The session of a token, which may be idle.
    ///
    /// - Throws: ``Failure`` when there is none, or no more.
    func session(of token: String) async throws -> Session {
        try await session(tokenHash: Digest.sha256(token.utf8))
    }

    /// A session as it is by what is written down, and by what could not be.
    private func session(tokenHash: [UInt8]) async throws -> Session {
        guard var session = try await store.session(tokenHash: tokenHash) else {
            shared.unwritten.withLock { $0[tokenHash] = nil }
            throw Self.ended
        }
        if let used = shared.unwritten.withLock({ $0[tokenHash] }) { session.use(at: used) }
        return session
    }

    /// Whether a session wants its security code before it goes on.
    func isIdle(_ session: Session) -> Bool { session.isIdle(at: time.timestamp) }

    /// Checks that a session may go on, and notes that it is used.
    ///
    /// - Parameters:
    ///   - session: The session.
    ///   - isDangerous: Whether what is asked for wants a security code that was given a short while ago.
    /// - Throws: ``Failure`` when it has ended, or wants its code.
    func use(_ session: Session, isDangerous: Bool = false) async throws {
        var known = try await self.session(tokenHash: session.tokenHash)
        let now = time.timestamp
        guard !known.isIdle(at: now) else {
            throw Failure(.codeRequired, "this session was not used for a while, and wants the security code")
        }
        guard !isDangerous || known.isFresh(at: now) else {
            throw Failure(
                .codeRequired,
                "this wants the security code, given within the last \(Session.freshness.text): give it, and ask again")
        }
        guard known.wasUsed(longerAgoThan: Self.precision, at: now) else { return }
        known.use(at: now)
        do {
            guard try await store.update(known) else { throw Self.ended }
            shared.unwritten.withLock { $0[session.tokenHash] = nil }
        } catch is DatabaseError where !isDangerous {
            // A full disk keeps nobody from switching off.
            shared.unwritten.withLock { $0[session.tokenHash] = now }
        }
    }

    /// Waits until a session has ended: by the clock, by a logout elsewhere, or with its account.
    ///
    /// What another process did is noticed within five seconds.
    ///
    /// - Throws: ``Failure`` when it has ended.
    func untilEnd(of session: Session) async throws {
        let end = endings.watch(session)
        defer { endings.endWatch(session, end) }
        while true {
            switch await end.next(until: time.now + .seconds(5), on: time) {
            case .element: throw Self.ended
            case .finished: return
            case .deadline:
                guard try await store.session(tokenHash: session.tokenHash) != nil else { throw Self.ended }
            }
        }
    }

    /// Somebody's sessions that are not over.
    func sessions(of owner: RouterStore.Owner) async throws -> [Session] {
        try await store.sessions(of: owner)
    }

    /// Ends a session for good, and the connections that are in by it.
    func end(_ session: Session) async throws {
        try await remove(session)
        endings.tell(session)
    }

    /// Ends a session for good, whose connections are told by ``endings``.
    func remove(_ session: Session) async throws {
        try await store.removeSession(of: session.owner, tokenHash: session.tokenHash)
        shared.unwritten.withLock { $0[session.tokenHash] = nil }
    }

    private static let ended = Failure(.notAuthenticated, "this session has ended; log in again with `m2m login`")
}
