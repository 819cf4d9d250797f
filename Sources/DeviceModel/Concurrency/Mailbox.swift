import Synchronization

/// A queue between tasks: any number of senders, one reader, a bound, and a rule for when the bound is reached.
///
/// Sending never waits. The reader waits for the next element, until a deadline where it wants to.
public final class Mailbox<Element: Sendable>: Sendable {
    /// What happens to an element for which there is no room.
    public enum Policy: Sendable {
        /// The oldest element makes room. For values of which the newest matter.
        case dropOldest
        /// The new element is refused, and the sender is told. For orders.
        case refuseNewest
    }

    /// What became of an element that was sent.
    public enum Sent: Sendable {
        /// It waits for the reader.
        case accepted
        /// It waits for the reader; this one had to go.
        case dropped(Element)
        /// The mailbox is full.
        case refused
        /// The mailbox is finished.
        case finished
    }

    /// What the reader gets.
    public enum Received: Sendable {
        /// The oldest element.
        case element(Element)
        /// The deadline came first.
        case deadline
        /// Nothing will come any more: the mailbox is finished and empty, or the reading task was cancelled.
        case finished
    }

    fileprivate struct State {
        var elements: [Element] = []
        var reader: CheckedContinuation<Received, Never>?
        /// Who waits for the reader to come by.
        var visitor: CheckedContinuation<Void, Never>?
        var isFinished = false
        var deadlinePassed = false
    }

    private let bound: Int
    private let policy: Policy
    private let goesFirst: (@Sendable (Element) -> Bool)?
    private let state = Mutex(State())

    /// - Parameters:
    ///   - bound: How many elements may wait, at least 1.
    ///   - policy: What happens to one more.
    ///   - goesFirst: Which elements make room, where it is the oldest one that does, before any other; nil: all alike.
    public init(bound: Int, policy: Policy, goesFirst: (@Sendable (Element) -> Bool)? = nil) {
        precondition(bound > 0, "a mailbox without room would refuse everything")
        self.bound = bound
        self.policy = policy
        self.goesFirst = goesFirst
    }

    /// Hands an element to the reader, or queues it.
    @discardableResult
    public func send(_ element: Element) -> Sent {
        let (sent, reader) = state.withLock { state -> (Sent, CheckedContinuation<Received, Never>?) in
            if state.isFinished { return (.finished, nil) }
            if let reader = state.reader {
                state.reader = nil
                return (.accepted, reader)
            }
            if state.elements.count < bound {
                state.elements.append(element)
                return (.accepted, nil)
            }
            switch policy {
            case .refuseNewest: return (.refused, nil)
            case .dropOldest:
                let index = goesFirst.flatMap { state.elements.firstIndex(where: $0) } ?? 0
                let oldest = state.elements.remove(at: index)
                state.elements.append(element)
                return (.dropped(oldest), nil)
            }
        }
        reader?.resume(returning: .element(element))
        return sent
    }

    /// Sends a question, and returns when it is answered; at once where it is not let in.
    ///
    /// For mailboxes that drop nothing: nobody would answer what was dropped.
    ///
    /// - Parameter question: Makes the question of what answers it, which has to be called once.
    public func ask(_ question: (@escaping @Sendable () -> Void) -> Element) async {
        precondition(policy == .refuseNewest, "a question that was dropped is never answered")
        await withCheckedContinuation { continuation in
            if case .accepted = send(question { continuation.resume() }) { return }
            continuation.resume()
        }
    }

    /// Lets nothing more in.
    ///
    /// What waits can still be read.
    public func finish() {
        let (reader, visitor) = state.withLock { state in
            state.isFinished = true
            return (state.takeReader(), state.takeVisitor())
        }
        reader?.resume(returning: .finished)
        visitor?.resume()
    }

    /// Returns when the reader comes by to read: at once where it is waiting, and when nothing is to be read any more.
    ///
    /// So a reader shows that it makes progress, also while the mailbox is full. One may wait for it at a time.
    public func untilReaderComesBy() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    if state.reader != nil || state.isFinished || Task.isCancelled { return true }
                    precondition(state.visitor == nil, "one waits for the reader of a mailbox at a time")
                    state.visitor = continuation
                    return false
                }
                if isThere { continuation.resume() }
            }
        } onCancel: {
            welcomeVisitor()
        }
    }

    private func welcomeVisitor() {
        state.withLock { $0.takeVisitor() }?.resume()
    }

    /// How many elements wait.
    public var count: Int {
        state.withLock { $0.elements.count }
    }

    /// Takes the oldest element if one waits.
    public func takeIfWaiting() -> Element? {
        state.withLock { $0.elements.isEmpty ? nil : $0.elements.removeFirst() }
    }

    /// The oldest element, as soon as there is one; nil when nothing will come any more.
    public func next() async -> Element? {
        if case .element(let element) = await wait() { element } else { nil }
    }

    /// The oldest element, as soon as there is one before the deadline.
    ///
    /// - Parameters:
    ///   - deadline: nil to wait for as long as it takes.
    ///   - time: The clock of the deadline.
    /// - Returns: The element, the deadline, or the end.
    public func next(until deadline: MonotonicTime?, on time: any TimeSource) async -> Received {
        welcomeVisitor()
        guard let deadline else { return await wait() }
        if let element = takeIfWaiting() { return .element(element) }
        // Also here whoever is cancelled gets no further: a deadline that has passed must not keep it going for ever.
        if deadline <= time.now { return isOver ? .finished : .deadline }
        let received = await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await time.sleep(until: deadline)
                    self.passDeadline()
                } catch {
                    // Cancelled: the element came first, or the reading task was cancelled.
                }
            }
            let received = await wait()
            group.cancelAll()
            return received
        }
        state.withLock { $0.deadlinePassed = false }  // it may have passed just after the element came
        return received
    }

    /// Whether nothing more comes, or the reading task is cancelled.
    private var isOver: Bool { state.withLock { $0.isFinished } || Task.isCancelled }

    private func wait() async -> Received {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // In one step: who comes while the reader lies down must not be overlooked.
                let (ready, visitor) = state.withLock { state in
                    (state.ready(for: continuation), state.takeVisitor())
                }
                visitor?.resume()
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            state.withLock { $0.takeReader() }?.resume(returning: .finished)
        }
    }

    private func passDeadline() {
        let reader = state.withLock { state in
            let reader = state.takeReader()
            state.deadlinePassed = reader == nil
            return reader
        }
        reader?.resume(returning: .deadline)
    }
}

extension Mailbox.State {
    /// What the reader gets at once; nil: it waits now.
    fileprivate mutating func ready(
        for continuation: CheckedContinuation<Mailbox.Received, Never>
    ) -> Mailbox.Received? {
        if !elements.isEmpty { return .element(elements.removeFirst()) }
        if isFinished || Task.isCancelled { return .finished }
        if deadlinePassed { return .deadline }
        precondition(reader == nil, "a mailbox has one reader")
        reader = continuation
        return nil
    }

    /// Takes the waiting reader, who must then be resumed.
    fileprivate mutating func takeReader() -> CheckedContinuation<Mailbox.Received, Never>? {
        defer { reader = nil }
        return reader
    }

    /// Takes whoever waits for the reader, and must then be resumed.
    fileprivate mutating func takeVisitor() -> CheckedContinuation<Void, Never>? {
        defer { visitor = nil }
        return visitor
    }
}
