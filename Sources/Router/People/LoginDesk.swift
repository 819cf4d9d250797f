import DeviceModel
import Synchronization
import Wire

/// Decides who may come in: passwords, security codes and sessions.
struct LoginDesk: Sendable {
    /// A session that was granted.
    struct Session: Hashable, Sendable {
        let owner: RouterStore.Owner
        let tokenHash: [UInt8]
        let expires: WallTime
    }

    /// So many passwords are checked or wait for it; one more is told to come again.
    ///
    /// Each takes 32 MiB and a moment.
    private static let bound = 16

    private let store: RouterStore
    private let hasher: SecretHasher
    private let time: any TimeSource
    private let throttle: Throttle

    /// The throttle, shared by all connections.
    private final class Throttle: Sendable {
        let state = Mutex(LoginThrottle())
        /// How many passwords are being checked, or wait for it.
        let working = Mutex(0)
    }

    init(store: RouterStore, hasher: SecretHasher, time: any TimeSource) {
        self.store = store
        self.hasher = hasher
        self.time = time
        throttle = Throttle()
    }

    /// An unknown user, a wrong password and a locked account get the same answer, after the same work.
    private static let wrong = Failure(
        .notAuthenticated,
        "name or password is wrong, or the account is locked (`m2m-router user unlock NAME` on the router's machine)")

    /// Checks name and password.
    ///
    /// - Returns: The account, of which the security code is wanted next.
    /// - Throws: ``Failure``.
    func check(_ login: Login, from source: String) async throws -> RouterStore.Account {
        guard login.user.utf8.count <= Credentials.nameMaximum, login.password.utf8.count <= Credentials.passwordMaximum
        else { throw Self.wrong }
        if let delay = throttle.state.withLock({ $0.delay(account: login.user, source: source, at: time.now) }) {
            throw Failure(
                .busy, "too many wrong passwords; try again in \(Int(delay.seconds.rounded(.up))) s", retryAfter: delay)
        }
        // Counted before it is looked at, so that many at once are not all the first.
        throttle.state.withLock { $0.failed(account: login.user, source: source, at: time.now) }
        let account = try await store.account(login.user)
        guard throttle.working.withLock({ $0 < Self.bound }) else {
            throw Failure(.busy, "too many people log in at the moment", retryAfter: .seconds(5))
        }
        throttle.working.withLock { $0 += 1 }
        defer { throttle.working.withLock { $0 -= 1 } }
        let isRight = try await hasher.isRight(password: login.password, account?.password)
        guard let account, isRight, !account.isLocked else { throw Self.wrong }
        throttle.state.withLock { $0.succeeded(account: login.user, source: source) }
        return account
    }

    /// Checks the security code that completes a login.
    ///
    /// - Throws: ``Failure``.
    func check(code: String, of account: RouterStore.Account) async throws {
        let isRight = try await hasher.isRight(code: code, account.code)
        if isRight, try await store.forgetWrongCodes(account.owner) { return }
        // The account may have been locked since the password was given: then no code is right.
        let isLocked = isRight ? true : try await store.countWrongCode(account.owner)
        throw Failure(
            .notAuthenticated,
            isLocked
                ? "the security code is wrong, or the account is locked now; `m2m-router user unlock \(account.owner.name)` on the router's machine unlocks it"
                : "the security code is wrong")
    }

    /// Begins a session.
    ///
    /// - Returns: The session and the token that brings it back.
    func begin(_ owner: RouterStore.Owner) async throws -> (Session, token: String) {
        let token = SecretHasher.random(32).hexadecimal
        let hash = Digest.sha256(token.utf8)
        let expires = try await store.addSession(owner, tokenHash: hash)
        return (Session(owner: owner, tokenHash: hash, expires: expires), token)
    }

    /// What became of a session.
    ///
    /// - Throws: ``Failure`` when there is none, or no more.
    func state(of token: String) async throws -> (RouterStore.SessionState, tokenHash: [UInt8]) {
        let hash = Digest.sha256(token.utf8)
        guard let state = try await store.session(tokenHash: hash) else { throw Self.ended }
        return (state, hash)
    }

    /// The account of an idle session, of which the security code is wanted.
    ///
    /// - Throws: ``Failure`` when it is locked or gone.
    func account(of owner: RouterStore.Owner) async throws -> RouterStore.Account {
        guard let account = try await store.account(owner.name), !account.isLocked else { throw Self.wrong }
        return account
    }

    /// Checks that a session may go on, and notes that it is used.
    ///
    /// - Throws: ``Failure`` when it has ended.
    func check(_ session: Session) async throws {
        guard time.wall < session.expires, try await store.session(tokenHash: session.tokenHash) != nil else {
            throw Self.ended
        }
        try await store.touchSession(tokenHash: session.tokenHash)
    }

    /// Waits until a session has ended: by the clock, by a logout elsewhere, or with its account.
    ///
    /// What happens without a request is noticed within five seconds.
    ///
    /// - Throws: ``Failure`` when it has ended.
    func untilEnd(of session: Session) async throws {
        while true {
            try await time.sleep(until: time.now + .seconds(5))
            guard time.wall < session.expires, try await store.session(tokenHash: session.tokenHash) != nil else {
                throw Self.ended
            }
        }
    }

    /// Ends a session for good.
    func end(_ session: Session) async throws {
        try await store.removeSession(tokenHash: session.tokenHash)
    }

    private static let ended = Failure(.notAuthenticated, "this session has ended; log in again with `m2m login`")
}
