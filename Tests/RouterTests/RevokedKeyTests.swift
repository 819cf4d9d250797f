import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: what was revoked stays so, and a place that is taken is not taken once more with a code from before.
@Suite(.timeLimit(.minutes(1))) struct RevokedKeyTests {
    private let time = ManualTime()
    private let store: RouterStore
    private let first = Digest.sha256("FIRST".utf8)
    private let second = Digest.sha256("SECOND".utf8)

    init() throws {
        store = try RouterStore(inMemoryAt: time)
    }

    @Test("A revoked key lets nobody in again, under no name, also where its device has another one by now")
    func keys() async throws {
        let ada = try await store.addOwner("ada")
        let device = try await store.addDevice("shed", of: ada, key: Sample.key(1))
        try await store.rotate(device, from: Sample.key(1), to: Sample.key(2))
        try await store.revoke(ada, device: device.row)
        _ = try await store.addClaim(ada, device: "shed", secretHash: first)
        _ = try await store.useClaim(secretHash: first, device: "shed", key: Sample.key(3))
        // The key before the last one was revoked with it.
        for key in [1, 2] as [UInt8] {
            _ = try await store.addClaim(ada, device: "barn", secretHash: [key])
            let claimed = await problem {
                _ = try await store.useClaim(secretHash: [key], device: "barn", key: Sample.key(key))
            }
            #expect(claimed?.code == .conflict)
            #expect(claimed?.description.contains("was revoked") == true)
            try await store.addPending(account: "ada", device: "barn", key: Sample.key(key))
            #expect(
                await problem { _ = try await store.accept(ada, device: "barn", key: Sample.key(key)) }?.code
                    == .conflict)
            let known = try #require(try await store.device(key: Sample.key(3)))
            #expect(
                await problem { try await store.rotate(known, from: Sample.key(3), to: Sample.key(key)) }?.code
                    == .conflict)
        }
    }

    @Test("Of several codes for a name none is good any more once a device is let in, whichever way", arguments: 0..<3)
    func codes(way: Int) async throws {
        let ada = try await store.addOwner("ada")
        _ = try await store.addClaim(ada, device: "shed", secretHash: first)
        _ = try await store.addClaim(ada, device: "shed", secretHash: second)
        switch way {
        case 0: _ = try await store.useClaim(secretHash: first, device: "shed", key: Sample.key(1))
        case 1:
            try await store.addPending(account: "ada", device: "shed", key: Sample.key(1))
            #expect(try await store.accept(ada, device: "shed", key: Sample.key(1)))
        default:
            let device = try await store.addDevice("shed", of: ada, key: Sample.key(1))
            try await store.revoke(ada, device: device.row)
        }
        let late = await problem {
            _ = try await store.useClaim(secretHash: second, device: "shed", key: Sample.key(7))
        }
        #expect(late?.code == .notPermitted)
        #expect(try await store.device(key: Sample.key(7)) == nil)
    }

    @Test("In whose account a device waits is told once, and for nobody's not at all")
    func pending() async throws {
        let ada = try await store.addOwner("ada")
        #expect(try await store.addPending(account: "ada", device: "shed", key: Sample.key(1)) == ada)
        #expect(try await store.addPending(account: "ada", device: "shed", key: Sample.key(1)) == nil)
        #expect(try await store.addPending(account: "nobody", device: "shed", key: Sample.key(1)) == nil)
        #expect(try await !store.isFull(ada))
        for key in 2...10 as ClosedRange<UInt8> {
            #expect(try await store.addPending(account: "ada", device: "shed", key: Sample.key(key)) == ada)
        }
        #expect(try await store.addPending(account: "ada", device: "shed", key: Sample.key(11)) == nil)
        #expect(try await store.isFull(ada))
        #expect(try await store.pending(of: ada, named: "shed").count == 10)
        // Whoever waits already goes on waiting, however many do.
        time.advance(by: .seconds(3_600))
        #expect(try await store.addPending(account: "ada", device: "shed", key: Sample.key(1)) == nil)
        #expect(try await store.pending(of: ada, named: "shed").map(\.since).max() == time.wall)
    }

    @Test("Who has logged in from an address is known there, for that account alone")
    func known() async throws {
        let ada = try await store.addOwner("ada")
        _ = try await store.addOwner("bob")
        try await store.addSession(ada, tokenHash: [1])
        #expect(try await store.hasSession("ada", from: "here"))
        #expect(try await !store.hasSession("ada", from: "there"))
        #expect(try await !store.hasSession("bob", from: "here"))
    }
}
