import Dispatch
import Foundation
import Synchronization
import TestSupport

/// Something that changes by itself, and for which a test can wait.
///
/// Waiting has an end: a bound far beyond what the slowest machine needs, and the end of the test's own task.
final class Watched<State: Sendable>: Sendable {
    private struct Waiter {
        /// Looks, and says how the waiting ends; nil: it does not yet.
        var end: (inout State) -> (@Sendable () -> Void)?
        var fail: (any Error) -> Void
    }

    private struct Inside {
        var state: State
        var waiters: [Int: Waiter] = [:]
        var count = 0
    }

    private let inside: Mutex<Inside>

    init(_ state: State) {
        inside = Mutex(Inside(state: state))
    }

    /// What it is now.
    var now: State { inside.withLock(\.state) }

    /// Changes it, and wakes whoever has waited for this.
    ///
    /// They are woken when the lock is open again: a task that is being cancelled can't be woken until its handler is
    /// through, which wants the lock.
    func change(_ change: (inout State) -> Void) {
        let ends = inside.withLock { inside in
            change(&inside.state)
            return inside.waiters.keys.sorted().compactMap { id in
                let end = inside.waiters[id]?.end(&inside.state)
                if end != nil { inside.waiters[id] = nil }
                return end
            }
        }
        for end in ends { end() }
    }

    /// Waits.
    ///
    /// - Parameters:
    ///   - what: What for, in words.
    ///   - look: Finds it; nil while it is not there; an error when it can't come any more.
    /// - Throws: What `look` throws, and ``HarnessError`` when the bound is reached.
    /// - Returns: What was found.
    func wait<Found: Sendable>(
        for what: String, _ look: @escaping @Sendable (inout State) throws -> Found?
    ) async throws -> Found {
        let id = inside.withLock { inside in
            inside.count += 1
            return inside.count
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                add(id, continuation, look)
                DispatchQueue.global().asyncAfter(deadline: .now() + patience) { [weak self] in
                    self?.fail(id, NotInTime(what: what))
                }
                if Task.isCancelled { fail(id, CancellationError()) }
            }
        } onCancel: {
            fail(id, CancellationError())
        }
    }

    private func add<Found: Sendable>(
        _ id: Int, _ continuation: CheckedContinuation<Found, any Error>,
        _ look: @escaping @Sendable (inout State) throws -> Found?
    ) {
        let end = inside.withLock { inside in
            let waiter = Waiter { state in
                do {
                    guard let found = try look(&state) else { return nil }
                    return { continuation.resume(returning: found) }
                } catch {
                    return { continuation.resume(throwing: error) }
                }
            } fail: { error in
                continuation.resume(throwing: error)
            }
            let end = waiter.end(&inside.state)
            if end == nil { inside.waiters[id] = waiter }
            return end
        }
        end?()
    }

    private func fail(_ id: Int, _ error: any Error) {
        let waiter = inside.withLock { $0.waiters.removeValue(forKey: id) }
        waiter?.fail(error)
    }
}

/// How long a test waits for anything, in seconds: no promise, only an end.
let patience = 40.0

/// What a test waited for did not come.
struct NotInTime: Error, CustomStringConvertible {
    let what: String

    var description: String { "no \(what) within \(Int(patience)) s" }
}
