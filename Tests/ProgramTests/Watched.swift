import Dispatch
import Foundation
import Synchronization
import TestSupport

/// Something that changes by itself, and for which a test can wait.
///
/// Waiting has an end: a bound far beyond what the slowest machine needs, and the end of the test's own task.
final class Watched<State: Sendable>: Sendable {
    private struct Waiter {
        var isDone: (inout State) -> Bool
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
    func change(_ change: (inout State) -> Void) {
        inside.withLock { inside in
            change(&inside.state)
            for id in inside.waiters.keys.sorted() where inside.waiters[id]?.isDone(&inside.state) == true {
                inside.waiters[id] = nil
            }
        }
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
        inside.withLock { inside in
            let waiter = Waiter { state in
                do {
                    guard let found = try look(&state) else { return false }
                    continuation.resume(returning: found)
                } catch {
                    continuation.resume(throwing: error)
                }
                return true
            } fail: { error in
                continuation.resume(throwing: error)
            }
            if !waiter.isDone(&inside.state) { inside.waiters[id] = waiter }
        }
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
