public import DeviceModel
public import Wire

/// Keeps an output held: renews its lease until somebody lets go, or until it cannot be renewed any more.
public struct Holder: Sendable {
    /// Asks for a renewal, and returns when it was done; throws why it was not.
    public typealias Renew = @Sendable (LeaseRenewalRequest) async throws -> Void

    private let address: Address
    private let lease: LeaseID
    private let time: any TimeSource
    private let renew: Renew
    private let events = Mailbox<Hold.Event>(bound: 16, policy: .refuseNewest)

    /// A holder of a lease that a command has made just now.
    ///
    /// - Parameters:
    ///   - address: The component whose output is held.
    ///   - lease: The lease.
    ///   - time: The clock.
    ///   - renew: Asks for a renewal; it is cancelled when it takes too long.
    public init(_ address: Address, lease: LeaseID, time: any TimeSource, renew: @escaping Renew) {
        self.address = address
        self.lease = lease
        self.time = time
        self.renew = renew
    }

    /// Lets go: ``run(_:)`` ends the lease, and returns when the device has confirmed it; at once when it is said twice.
    public func release() {
        events.send(.release)
    }

    /// Holds, until the end.
    ///
    /// - Parameter tell: Told what the holder should know meanwhile.
    /// - Returns: How it ended.
    public func run(_ tell: (Hold.News) -> Void) async -> Hold.End {
        var hold = Hold(at: time.now)
        var attempt: Task<Void, Never>?
        defer { attempt?.cancel() }
        while true {
            let event: Hold.Event
            switch await events.next(until: hold.deadline, on: time) {
            case .element(let element): event = element
            case .deadline: event = .tick
            case .finished: return .lost(reason: "nobody holds it any more")  // this task was cancelled
            }
            for action in hold.handle(event, at: time.now) {
                switch action {
                case .renew(let number, let duration, let expiry): attempt = begin(number, duration, expiry)
                case .abandon: attempt?.cancel()
                case .tell(let news): tell(news)
                case .end(let end): return end
                }
            }
        }
    }

    /// One attempt, in a task of its own and in no group: whatever it hangs on, the hold goes on without it.
    private func begin(_ number: Int, _ duration: Duration, _ expiry: Duration) -> Task<Void, Never> {
        let request = LeaseRenewalRequest(address: address, lease: lease, duration: duration, expiry: expiry)
        return Task { [renew, events] in
            do {
                try await renew(request)
                events.send(.renewed(attempt: number))
            } catch {
                events.send(Self.event(number, error))
            }
        }
    }

    /// What an attempt that was not done means: the next one may be, unless somebody has said no.
    private static func event(_ attempt: Int, _ error: any Error) -> Hold.Event {
        let answer: ErrorCode? =
            switch error {
            case let failure as Failure: failure.code
            case let error as ClientError: error.code
            default: nil
            }
        switch answer {
        case nil, .unreachable?, .expired?, .busy?, .systemFailure?:
            // It is tried again without being told to.
            return .lost(attempt: attempt, reason: (error as? NoAnswer)?.fact ?? error.explanation)
        case let code?: return .refused(attempt: attempt, Hold.Refusal(code, error.explanation))
        }
    }
}
