import ServiceLifecycle

/// Does something until a graceful shutdown begins, and then cancels it: the normal end of a service, and no error.
///
/// - Parameter body: What is done; cancelled when the shutdown begins.
/// - Throws: What `body` throws, unless it is the cancellation.
public func untilGracefulShutdown(_ body: @escaping @Sendable () async throws -> Void) async throws {
    do {
        try await cancelWhenGracefulShutdown(body)
    } catch is CancellationError {
        // The shutdown, or the cancellation of the whole group: both are ends that somebody wanted.
    }
}
