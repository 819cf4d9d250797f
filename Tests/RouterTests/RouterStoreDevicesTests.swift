import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: a device is in exactly one account's space, nobody else can see or change it there, and nothing tells whose
/// it is.
@Suite(.timeLimit(.minutes(1))) struct RouterStoreDevicesTests {
    private let time = ManualTime()
    private let store: RouterStore

    init() throws {
        store = try RouterStore(inMemoryAt: time)
    }

    @Test("Devices are listed by name, those of other accounts never")
    func list() async throws {
        let ada = try await store.addOwner("ada")
        let bob = try await store.addOwner("bob")
        _ = try await store.addDevice("shed", of: ada, key: Sample.key(1))
        _ = try await store.addDevice("greenhouse", of: ada, key: Sample.key(2))
        _ = try await store.addDevice("cellar", of: bob, key: Sample.key(3))
        #expect(try await store.devices(of: ada).map(\.name.rawValue) == ["greenhouse", "shed"])
        #expect(try await store.devices(of: ada, named: "shed").map(\.name.rawValue) == ["shed"])
        #expect(try await store.devices(of: bob).map(\.name.rawValue) == ["cellar"])
        // Somebody else's device and one that does not exist are the same.
        #expect(try await store.devices(of: ada, named: "cellar").isEmpty)
        #expect(try await store.devices(of: ada, named: "nowhere").isEmpty)
    }

    @Test("Two accounts may have devices of one name, each its own")
    func sameName() async throws {
        let ada = try await store.addOwner("ada")
        let bob = try await store.addOwner("bob")
        let first = try await store.addDevice("greenhouse", of: ada, key: Sample.key(1))
        let second = try await store.addDevice("greenhouse", of: bob, key: Sample.key(2))
        #expect(first.row != second.row)
        #expect(try await store.devices(of: ada).map(\.row) == [first.row])
        #expect(try await store.devices(of: bob).map(\.row) == [second.row])
    }

    @Test("A device is known by its key, with its owner")
    func byKey() async throws {
        let ada = try await store.addOwner("ada")
        let device = try await store.addDevice("greenhouse", of: ada, key: Sample.key(1))
        #expect(device.owner == ada)
        #expect(device.name == "greenhouse")
        #expect(device.key == Sample.key(1))
        #expect(try await store.device(key: Sample.key(2)) == nil)
    }

    @Test("What a device says of itself is kept, and when it was heard of")
    func description() async throws {
        let ada = try await store.addOwner("ada")
        let device = try await store.addDevice("greenhouse", of: ada, key: Sample.key(1))
        let before = try #require(try await store.devices(of: ada).first)
        #expect(before.description == nil)
        #expect(before.lastSeen == nil)
        let description = Sample.description("greenhouse", label: "Gewächshaus Süd")
        try await store.describe(device, description)
        try await store.see(device, at: Sample.wall(1))
        let after = try #require(try await store.devices(of: ada).first)
        #expect(after.description == description)
        #expect(after.lastSeen == Sample.wall(1))
    }

    @Test("Nothing is written to a device in the name of another account")
    func foreignWrite() async throws {
        let ada = try await store.addOwner("ada")
        let bob = try await store.addOwner("bob")
        let device = try await store.addDevice("greenhouse", of: ada, key: Sample.key(1))
        let forged = RouterStore.Device(row: device.row, owner: bob, name: device.name, key: device.key)
        try await store.describe(forged, Sample.description("greenhouse"))
        try await store.see(forged, at: Sample.wall(1))
        let listed = try #require(try await store.devices(of: ada).first)
        #expect(listed.description == nil)
        #expect(listed.lastSeen == nil)
    }

    @Test("A device that comes in again under its name keeps its place, with the new key only")
    func newKey() async throws {
        let ada = try await store.addOwner("ada")
        let old = try await store.addDevice("greenhouse", of: ada, key: Sample.key(1))
        let new = try await store.addDevice("greenhouse", of: ada, key: Sample.key(2))
        #expect(new.row == old.row)
        #expect(try await store.device(key: Sample.key(1)) == nil)
        #expect(try await store.devices(of: ada).count == 1)
    }

    @Test("A key that is in use lets in neither another device nor another account, and does not tell whose it is")
    func usedKey() async throws {
        let ada = try await store.addOwner("ada")
        let bob = try await store.addOwner("bob")
        _ = try await store.addDevice("greenhouse", of: ada, key: Sample.key(1))
        for (owner, name) in [(ada, "shed"), (bob, "greenhouse"), (bob, "shed")] as [(RouterStore.Owner, DeviceID)] {
            let problem = await problem { _ = try await store.addDevice(name, of: owner, key: Sample.key(1)) }
            #expect(problem?.code == .conflict)
            #expect(problem?.resource == name.rawValue)
            #expect(problem?.description.contains("ada") == false)
            #expect(problem?.description.contains("greenhouse") == false)
        }
        #expect(try await store.count("devices") == 1)
        #expect(try await store.device(key: Sample.key(1))?.owner == ada)
    }

    // MARK: Waiting to be accepted

    @Test("A device that waits is seen by the account that it named, and by no other")
    func waiting() async throws {
        let ada = try await store.addOwner("ada")
        let bob = try await store.addOwner("bob")
        try await store.addPending(account: "ada", device: "greenhouse", key: Sample.key(1))
        let seen = try await store.pending(of: ada, named: "greenhouse")
        #expect(seen.map(\.key) == [Sample.key(1)])
        #expect(seen.map(\.since) == [time.wall])
        #expect(try await store.pending(of: ada, named: "shed").isEmpty)
        #expect(try await store.pending(of: bob, named: "greenhouse").isEmpty)
        #expect(try await store.device(key: Sample.key(1)) == nil)
    }

    @Test("The account that was named lets the device in, once")
    func accepted() async throws {
        let ada = try await store.addOwner("ada")
        try await store.addPending(account: "ada", device: "greenhouse", key: Sample.key(1))
        #expect(try await store.accept(ada, device: "greenhouse", key: Sample.key(1)))
        #expect(try await store.device(key: Sample.key(1))?.owner == ada)
        #expect(try await store.pending(of: ada, named: "greenhouse").isEmpty)
        #expect(try await !store.accept(ada, device: "greenhouse", key: Sample.key(1)))
    }

    @Test("No other account can let it in, nor can it come in by another name or key")
    func foreignAccept() async throws {
        let ada = try await store.addOwner("ada")
        let bob = try await store.addOwner("bob")
        try await store.addPending(account: "ada", device: "greenhouse", key: Sample.key(1))
        #expect(try await !store.accept(bob, device: "greenhouse", key: Sample.key(1)))
        #expect(try await !store.accept(ada, device: "shed", key: Sample.key(1)))
        #expect(try await !store.accept(ada, device: "greenhouse", key: Sample.key(2)))
        #expect(try await store.count("devices") == 0)
        #expect(try await store.pending(of: ada, named: "greenhouse").count == 1)
    }

    @Test("Only ten devices may wait in an account; the others' places are not touched")
    func bounded() async throws {
        let ada = try await store.addOwner("ada")
        let bob = try await store.addOwner("bob")
        for number: UInt8 in 1...12 {
            try await store.addPending(account: "ada", device: "greenhouse", key: Sample.key(number))
            time.advance(by: .seconds(1))
        }
        try await store.addPending(account: "bob", device: "greenhouse", key: Sample.key(20))
        #expect(try await store.pending(of: ada, named: "greenhouse").map(\.key) == (1...10).map { Sample.key($0) })
        #expect(try await store.pending(of: bob, named: "greenhouse").map(\.key) == [Sample.key(20)])
    }

    @Test("A device that asks again keeps its one place, with the new time")
    func asksAgain() async throws {
        let ada = try await store.addOwner("ada")
        for _ in 0..<3 {
            time.advance(by: .seconds(60))
            try await store.addPending(account: "ada", device: "greenhouse", key: Sample.key(1))
        }
        let seen = try await store.pending(of: ada, named: "greenhouse")
        #expect(seen.map(\.since) == [time.wall])
    }

    @Test("After a day of waiting a device is forgotten, and its place is free")
    func forgotten() async throws {
        let ada = try await store.addOwner("ada")
        for number: UInt8 in 1...10 {
            try await store.addPending(account: "ada", device: "greenhouse", key: Sample.key(number))
        }
        time.advance(by: .seconds(86_401))
        #expect(try await store.pending(of: ada, named: "greenhouse").isEmpty)
        try await store.addPending(account: "ada", device: "greenhouse", key: Sample.key(11))
        #expect(try await store.pending(of: ada, named: "greenhouse").map(\.key) == [Sample.key(11)])
    }

    @Test("Waiting in an account that is not there looks like waiting in one that is")
    func unknownAccount() async throws {
        try await store.addPending(account: "nobody", device: "greenhouse", key: Sample.key(1))
        #expect(try await store.count("pending") == 0)
    }
}
