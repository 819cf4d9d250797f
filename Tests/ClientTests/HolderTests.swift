import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Transport
import Wire

@testable import Client

/// A holder asks for what its hold wants, goes on without an answer that does not come, and says how it ended.
@Suite(.timeLimit(.minutes(1))) struct HolderTests {
    private let time = ManualTime()
    private let asked = Mailbox<LeaseRenewalRequest>(bound: 1_000, policy: .refuseNewest)
    private let address = Address(device: "greenhouse", component: "heater")

    private func holder(_ renew: @escaping @Sendable () async throws -> Void) -> Holder {
        Holder(address, lease: "l1", time: time) { [asked] request in
            asked.send(request)
            try await renew()
        }
    }

    @Test("Who lets go has the lease ended, by its name and at its place") func release() async throws {
        let holder = holder {}
        holder.release()
        #expect(await holder.run { _ in } == .released)
        let request = try #require(asked.takeIfWaiting())
        #expect(
            request == LeaseRenewalRequest(address: address, lease: "l1", duration: .zero, expiry: .seconds(3)))
        #expect(asked.count == 0)
    }

    @Test("While it is held the lease is renewed; then it is ended") func renews() async throws {
        let holder = holder {}
        let end = Task { await holder.run { _ in } }
        await time.untilSleepers()
        time.advance(by: .seconds(3))
        #expect(await asked.next()?.duration == .seconds(10))
        holder.release()
        #expect(await asked.next()?.duration == .zero)
        #expect(await end.value == .released)
    }

    @Test(
        "A no is the end, whoever says it",
        arguments: [
            Failure(.conflict, "the lease is over"), Failure(.notFound, "no such device"),
            Failure(.notAuthenticated, "log in again"), Failure(.notPermitted, "you may not"),
        ])
    func refused(_ failure: Failure) async throws {
        let holder = holder { throw failure }
        holder.release()
        let end = await holder.run { _ in }
        #expect(end == .refused(Hold.Refusal(failure.code, failure.message)))
    }

    @Test("What the client itself will not do any more is a no, too") func clientRefuses() async throws {
        let holder = holder { throw ClientError(.notAuthenticated, "session", "you are not logged in") }
        holder.release()
        #expect(await holder.run { _ in } == .refused(Hold.Refusal(.notAuthenticated, "you are not logged in")))
    }

    @Test(
        "What may be otherwise the next time is tried again, until the lease must have ended",
        arguments: [
            Failure(.unreachable, "gone"), Failure(.expired, "gone"), Failure(.busy, "gone"),
            Failure(.systemFailure, "gone"), TransportError(.rejected, "", "gone"), TransportError(.lost, "", "gone"),
            TransportError(.untrusted, "", "gone"), WireError(.truncated, at: 0),
            ClientError(.unreachable, "", "gone"), CancellationError(),
        ] as [any Error])
    func lost(_ error: any Error) async throws {
        let holder = holder { throw error }
        let start = time.now
        let news = Mailbox<Hold.News>(bound: 10, policy: .refuseNewest)
        let end = Task { await holder.run { news.send($0) } }
        await time.untilSleepers()
        time.advance(by: .seconds(3))
        #expect(await news.next() == .lost(reason: error.explanation))
        // From here on time may pass faster than answers come.
        let last = await time.passing(by: .milliseconds(250)) { await end.value }
        guard case .lost = last else {
            Issue.record("\(last)")
            return
        }
        #expect(time.now >= start + .seconds(10))
        #expect(asked.count > 1)
        #expect(news.count == 0)
    }

    @Test("Who is told that it is tried again is not told to try again") func noAdvice() async throws {
        let silence = NoAnswer(resource: "r", cause: "has not answered for 10s", advice: "try again")
        let holder = holder { throw silence }
        let news = Mailbox<Hold.News>(bound: 10, policy: .refuseNewest)
        holder.release()
        let end = Task { await holder.run { news.send($0) } }
        #expect(await news.next() == .lost(reason: "r has not answered for 10s"))
        end.cancel()
        _ = await end.value
    }

    @Test("A renewal that hangs is cancelled, and the hold ends in time without it") func hangs() async throws {
        let cancelled = Mailbox<Void>(bound: 100, policy: .refuseNewest)
        let holder = Holder(address, lease: "l1", time: time) { _ in
            _ = await Mailbox<Void>(bound: 1, policy: .refuseNewest).next()
            cancelled.send(())
            throw CancellationError()
        }
        let end = await time.passing(by: .milliseconds(250)) { await holder.run { _ in } }
        #expect(end == .lost(reason: "no answer comes"))
        #expect(await cancelled.next() != nil)
    }

    @Test("A holder whose task is cancelled holds nothing any more") func cancelled() async throws {
        let holder = holder {}
        let end = Task { await holder.run { _ in } }
        await time.untilSleepers()
        end.cancel()
        guard case .lost = await end.value else {
            Issue.record("it went on")
            return
        }
    }
}
