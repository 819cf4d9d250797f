import Dispatch

/// A thread for calls that may block (a line, a disk): they are done one after the other, and hold up nobody else.
///
/// In contrast to an actor on a ``BlockingExecutor``, whoever waits for a call that hangs can be cancelled.
public struct BlockingQueue: Sendable {
    private let queue: DispatchQueue

    /// - Parameter label: What debuggers call the thread.
    public init(label: String) {
        queue = DispatchQueue(label: label)
    }

    /// Does something, and does not wait for it.
    public func start(_ work: @escaping @Sendable () -> Void) {
        queue.async(execute: work)
    }

    /// Does something, and waits for it.
    ///
    /// - Parameter work: What is done; it is done wholly, whether or not somebody still waits for it.
    /// - Returns: Its result; nil: the waiting task was cancelled.
    /// - Throws: What the work throws.
    public func run<Value: Sendable, Failure: Error>(
        _ work: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value? {
        let answer = Mailbox<Result<Value, Failure>>(bound: 1, policy: .refuseNewest)
        queue.async {
            do throws(Failure) {
                answer.send(.success(try work()))
            } catch {
                answer.send(.failure(error))
            }
        }
        return try await answer.next()?.get()
    }
}
