import DeviceModel
import Synchronization
public import Wire

/// A connection for questions that may be repeated: when it is lost the next question makes a new one.
///
/// Each question has the connection for itself. One for which nobody waits any more may still have it when the next one
/// comes, which then gets another.
public final class RenewingConnection: Sendable {
    /// Makes a connection.
    public typealias Connect = @Sendable () async throws -> sending ClientConnection

    private let kept: Mutex<KeptConnection>
    private let connect: Connect

    /// - Parameters:
    ///   - connection: The first connection.
    ///   - connect: Makes the others.
    public init(_ connection: consuming sending ClientConnection, connect: @escaping Connect) {
        kept = Mutex(KeptConnection(consume connection))
        self.connect = connect
    }

    /// Asks a question whose answer has no items.
    ///
    /// - Throws: ``Failure`` when it was refused; other errors when the connection was lost, or could not be made.
    public func ask(_ request: Request) async throws {
        var current: ClientConnection
        if let kept = kept.withLock(\.self).take() { current = kept } else { current = try await connect() }
        var problem: (any Error)?
        do {
            _ = try await current.ask(request)
        } catch {
            problem = error
        }
        if Self.isGood(after: problem) {
            let old = keep(KeptConnection(consume current))
            if let surplus = old.take() { await surplus.close() }
        } else {
            await current.close()
        }
        if let problem { throw problem }
    }

    /// Whether a connection is as good as before.
    ///
    /// What came too late may have been sent with the wrong deadline: what the other end's clock shows is said once on a
    /// connection, and clocks drift, or stand still while a laptop sleeps.
    private static func isGood(after problem: (any Error)?) -> Bool {
        switch problem {
        case nil: true
        case let failure as Failure: failure.code != .expired
        default: false
        }
    }

    /// Closes the connection, if there is one at the moment.
    public func close() async {
        if let current = kept.withLock(\.self).take() { await current.close() }
    }

    /// Keeps a connection for the next question.
    ///
    /// - Returns: What was kept before.
    private func keep(_ new: KeptConnection) -> KeptConnection {
        kept.withLock { kept in
            defer { kept = new }
            return kept
        }
    }
}

/// A connection that waits for whoever takes it first.
private final class KeptConnection: Sendable {
    private let connection: Mutex<ClientConnection?>

    init(_ connection: consuming sending ClientConnection) {
        self.connection = Mutex(consume connection)
    }

    /// - Returns: nil where somebody has taken it.
    func take() -> sending ClientConnection? {
        connection.withLock { $0.take() }
    }
}
