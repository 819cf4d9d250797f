import Dispatch

/// Runs an actor's calls one after the other on a queue of their own, so that a call that blocks (a bus, a disk) does
/// not hold up one of the few threads on which all other tasks run.
public final class BlockingExecutor: SerialExecutor {
    private let queue: DispatchQueue

    /// - Parameter label: What debuggers call the thread.
    public init(label: String) {
        queue = DispatchQueue(label: label)
    }

    /// Queues a job of the actor.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
