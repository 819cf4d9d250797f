import DeviceModel
import GRDB
import Logging
import Transport
import Wire

/// One connection of a person, from the login to its end.
struct PersonConnection: Sendable {
    let channel: MessageChannel
    let core: RouterCore
    var entrance: Entrance?
    let logger: Logger

    /// How long a person may take for the login: long enough to look for the security code.
    private static let loginTimeout: Duration = .seconds(120)
    /// How long they may take until they begin it.
    private static let greetingTimeout: Duration = .seconds(10)

    /// Runs the connection to its end.
    func run() async {
        var messages = channel.inbound.makeAsyncIterator()
        do {
            if let session = try await comeIn(&messages) {
                try await serve(session, &messages)
            }
        } catch let failure as Failure {
            try? await channel.send(failure.envelope(.accounts).encoded)  // safe: else the connection is gone
        } catch let problem as RouterProblem {
            logger.error("a person was not served", metadata: ["reason": "\(problem)"])
            try? await channel.send(Failure(problem).envelope(.accounts).encoded)  // safe: else the connection is gone
        } catch let error as DatabaseError {
            let failure = explain(error)
            try? await channel.send(failure.envelope(.accounts).encoded)  // safe: else the connection is gone
        } catch {
            logger.debug("person's connection ended", metadata: ["reason": "\(error.explanation)"])
        }
        await channel.close(.goingAway)
    }

    /// What a person is told where the database does not work; the log has the details.
    private func explain(_ error: DatabaseError) -> Failure {
        core.trouble.begins(core.store.explain(error))
        return Failure(.systemFailure, "the router's database does not work at the moment; try again in a while")
    }

    // MARK: Getting in

    private func comeIn(_ messages: inout InboundMessages.Iterator) async throws -> Session? {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let began = Mailbox<Void>(bound: 1, policy: .refuseNewest)
            group.addTask { [channel, time = core.time] in
                let start = time.now
                if case .element = await began.next(until: start + Self.greetingTimeout, on: time) {
                    try await time.sleep(until: start + Self.loginTimeout)
                }
                try Task.checkCancellation()
                channel.abort()
            }
            defer { group.cancelAll() }
            return try await login(&messages, began)
        }
    }

    private func login(
        _ messages: inout InboundMessages.Iterator, _ began: Mailbox<Void>
    ) async throws -> Session? {
        while let envelope = try await next(&messages) {
            switch envelope.kind {
            case Login.kind:
                began.send(())
                let account = try await core.logins.check(try decode(envelope), from: source)
                entrance?.makeRoom()
                guard try await hasCode(&messages, account) else { return nil }
                let (session, token) = try await core.logins.begin(account.owner, from: origin)
                try await grant(session, token: token)
                logger.info("person logged in", metadata: ["user": "\(account.owner.name)", "from": "\(source)"])
                return session
            case Resume.kind:
                began.send(())
                let message: Resume = try decode(envelope)
                return try await resume(message.token, &messages)
            case ControlError.kind: continue  // an answer to an error would be one too many
            default:
                let failure = Failure(.notAuthenticated, "log in first")
                try await channel.send(failure.envelope(envelope.proto, session: envelope.session).encoded)
            }
        }
        return nil
    }

    private func resume(
        _ token: String, _ messages: inout InboundMessages.Iterator
    ) async throws -> Session? {
        let session = try await core.logins.session(of: token)
        if core.logins.isIdle(session) {
            let account = try await core.logins.account(of: session)
            entrance?.makeRoom()
            guard try await hasCode(&messages, account) else { return nil }
            try await core.logins.confirm(session, from: source)
        }
        try await core.logins.use(session)
        if source != session.source {
            // Not what a laptop on its way does wrong; but somebody who has its token looks the same.
            core.audit.noteFailure(
                .sessionMoved, .person(session.owner, from: source), "session \(session.name)",
                result: "used from another address than \(session.source)")
        }
        try await grant(session, token: nil)
        return session
    }

    private func hasCode(
        _ messages: inout InboundMessages.Iterator, _ account: RouterStore.Account
    ) async throws -> Bool {
        try await channel.send(Envelope(CodeWanted()).encoded)
        guard let envelope = try await next(&messages) else { return false }
        guard envelope.kind == Code.kind else {
            throw Failure(.notAuthenticated, "the security code was wanted, not '\(envelope.type)'")
        }
        let message: Code = try decode(envelope)
        try await core.logins.check(code: message.code, of: account, from: source)
        return true
    }

    private func grant(_ session: Session, token: String?) async throws {
        entrance?.pass()  // before it is said: what comes next may be long
        let message = SessionGranted(
            user: session.owner.name, token: token, expires: session.expires, monotonic: core.time.now)
        try await channel.send(Envelope(message).encoded)
    }

    private func next(_ messages: inout InboundMessages.Iterator) async throws -> Envelope? {
        guard let bytes = try await messages.next() else { return nil }
        entrance?.heard()
        do throws(WireError) {
            return try Envelope(decoding: bytes)
        } catch {
            throw Failure(error)
        }
    }

    private func decode<M: Message>(_ envelope: Envelope) throws(Failure) -> M {
        do throws(WireError) {
            return try envelope.decode(M.self)
        } catch {
            throw Failure(error)
        }
    }

    /// The address of the other end without its port: what passwords are counted by.
    private var source: String { channel.peer.host }
    private var origin: LoginDesk.Origin { LoginDesk.Origin(source: source, agent: channel.peer.agent) }

    // MARK: Being in

    private func serve(_ session: Session, _ messages: inout InboundMessages.Iterator) async throws {
        do {
            try await serveUntilEnd(session, &messages)
        } catch let end as SessionEnded {
            core.logins.endings.tell(session)  // the other connections of it; this one has said goodbye
            throw end
        }
    }

    private func serveUntilEnd(_ session: Session, _ messages: inout InboundMessages.Iterator) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [channel, core] in
                do {
                    try await core.logins.untilEnd(of: session)
                } catch let failure as Failure {
                    try await channel.send(failure.envelope(.accounts).encoded)
                    await channel.close(.policyViolation)
                } catch  where !Task.isCancelled {
                    // The database failed, as a rule: nobody would notice the end of the session any more.
                    channel.abort()
                }
            }
            defer { group.cancelAll() }
            try await answer(session, &messages)
        }
    }

    private func answer(_ session: Session, _ messages: inout InboundMessages.Iterator) async throws {
        let handler = PersonRequestHandler(core: core, session: session, source: source)
        try await ConversationServer(on: channel).run(&messages) { request, conversation in
            do {
                try await core.logins.use(session, isDangerous: try await handler.isDangerous(request))
                try await handler.answer(request, conversation)
            } catch let error as DatabaseError {
                throw explain(error)
            }
        } other: { envelope in
            switch envelope.kind {
            case Code.kind: try await confirm(session, by: envelope)
            case Logout.kind:
                try await core.logins.remove(session)
                core.audit.note(.logout, .person(session.owner, from: source), "session \(session.name)")
                try await channel.send(Envelope(LoggedOut()).encoded)
                throw SessionEnded()
            default: return false
            }
            return true
        }
    }

    /// The security code, given once more: a wrong one counts, and ends nothing.
    private func confirm(_ session: Session, by envelope: Envelope) async throws {
        do {
            let message: Code = try decode(envelope)
            let account = try await core.logins.account(of: session)
            try await core.logins.check(code: message.code, of: account, from: source)
            try await core.logins.confirm(session, from: source)
            try await grant(session, token: nil)
        } catch let failure as Failure {
            try await channel.send(failure.envelope(.accounts).encoded)
        }
    }
}
