import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: a claim code lets one device of one name into one account, once, within ten minutes.
@Suite(.timeLimit(.minutes(1))) struct RouterStoreClaimsTests {
    private let time = ManualTime()
    private let store: RouterStore
    private let secret = Digest.sha256("THE-SECRET".utf8)

    init() throws {
        store = try RouterStore(inMemoryAt: time)
    }

    /// What becomes of somebody who comes with the code.
    private func use(_ name: DeviceID = "greenhouse", key: UInt8 = 1, secret: [UInt8]? = nil) async -> RouterProblem? {
        await problem {
            _ = try await store.useClaim(secretHash: secret ?? self.secret, device: name, key: Sample.key(key))
        }
    }

    @Test("The right code lets the device into the account of whoever made it")
    func right() async throws {
        let ada = try await store.addOwner("ada")
        _ = try await store.addOwner("bob")
        let expires = try await store.addClaim(ada, device: "greenhouse", secretHash: secret)
        #expect(expires == time.wall + .seconds(600))
        let owner = try await store.useClaim(secretHash: secret, device: "greenhouse", key: Sample.key(1))
        #expect(owner == ada)
        let device = try #require(try await store.device(key: Sample.key(1)))
        #expect(device.owner == ada)
        #expect(device.name == "greenhouse")
    }

    @Test("A code goes to the account that made it, also where another one has a device of that name")
    func otherAccountsCode() async throws {
        let ada = try await store.addOwner("ada")
        let bob = try await store.addOwner("bob")
        let old = try await store.addDevice("greenhouse", of: ada, key: Sample.key(9))
        _ = try await store.addClaim(bob, device: "greenhouse", secretHash: secret)
        #expect(await use() == nil)
        #expect(try await store.device(key: Sample.key(1))?.owner == bob)
        #expect(try await store.device(key: Sample.key(9)) == old)
    }

    @Test("A wrong code lets nobody in and says how to get a right one")
    func wrong() async throws {
        let ada = try await store.addOwner("ada")
        _ = try await store.addClaim(ada, device: "greenhouse", secretHash: secret)
        let problem = await use(secret: Digest.sha256("ANOTHER".utf8))
        #expect(problem?.code == .notPermitted)
        #expect(problem?.description.contains("not known here; `m2m claim greenhouse` makes a new one") == true)
        #expect(try await store.count("devices") == 0)
    }

    @Test("A code is used up by the first who comes with it, even for the same device")
    func used() async throws {
        let ada = try await store.addOwner("ada")
        _ = try await store.addClaim(ada, device: "greenhouse", secretHash: secret)
        #expect(await use() == nil)
        for key: UInt8 in 1...2 {
            let problem = await use(key: key)
            #expect(problem?.code == .notPermitted)
            #expect(problem?.description.contains("has been used already") == true)
        }
        #expect(try await store.device(key: Sample.key(2)) == nil)
    }

    @Test("Of many who come with one code at the same time one gets in")
    func race() async throws {
        let folder = try TemporaryDirectory()
        let store = try RouterStore(path: folder.file("router.db"), time: time)
        let ada = try await store.addOwner("ada")
        _ = try await store.addClaim(ada, device: "greenhouse", secretHash: secret)
        let secret = secret
        let successes = await withTaskGroup(of: Bool.self) { group in
            for key: UInt8 in 1...20 {
                group.addTask {
                    await problem {
                        _ = try await store.useClaim(secretHash: secret, device: "greenhouse", key: Sample.key(key))
                    } == nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(successes == 1)
        #expect(try await store.count("devices") == 1)
    }

    @Test("A code is good for ten minutes and not a moment longer")
    func expiry() async throws {
        let ada = try await store.addOwner("ada")
        _ = try await store.addClaim(ada, device: "greenhouse", secretHash: secret)
        let late = Digest.sha256("LATE".utf8)
        _ = try await store.addClaim(ada, device: "shed", secretHash: late)
        time.advance(by: .seconds(599))
        #expect(await use() == nil)
        time.advance(by: .seconds(1))
        let problem = await use("shed", key: 2, secret: late)
        #expect(problem?.code == .notPermitted)
        #expect(problem?.description.contains("has expired") == true)
        #expect(try await store.device(key: Sample.key(2)) == nil)
    }

    @Test("A code for another device says so, and is not used up by it")
    func otherName() async throws {
        let ada = try await store.addOwner("ada")
        _ = try await store.addClaim(ada, device: "greenhouse", secretHash: secret)
        let problem = await use("shed")
        #expect(problem?.code == .notPermitted)
        #expect(problem?.description.contains("was made for 'greenhouse', not for 'shed'") == true)
        #expect(await use() == nil)
    }

    @Test("A code is not used up by a device whose key is in use")
    func usedKey() async throws {
        let ada = try await store.addOwner("ada")
        _ = try await store.addDevice("shed", of: ada, key: Sample.key(1))
        _ = try await store.addClaim(ada, device: "greenhouse", secretHash: secret)
        #expect(await use(key: 1)?.code == .conflict)
        #expect(await use(key: 2) == nil)
    }

    @Test("A code of an account that was removed is no code any more")
    func removedAccount() async throws {
        let ada = try await store.addOwner("ada")
        _ = try await store.addClaim(ada, device: "greenhouse", secretHash: secret)
        _ = try await store.removeAccount("ada")
        #expect(await use()?.description.contains("not known here") == true)
    }

    @Test("Codes that have long expired do not pile up")
    func sweep() async throws {
        let ada = try await store.addOwner("ada")
        _ = try await store.addClaim(ada, device: "greenhouse", secretHash: secret)
        time.advance(by: .seconds(2 * 86_400))
        _ = try await store.addClaim(ada, device: "greenhouse", secretHash: Digest.sha256("NEW".utf8))
        #expect(try await store.count("claims") == 1)
    }

    @Test("A code with a slip of the finger in it is no code", arguments: 0..<35)
    func mistyped(place: Int) throws {
        var generator = SeededGenerator(seed: UInt64(place))
        let code = ClaimCode(caDigest: RouterBench.caDigest, using: &generator)
        var symbols = Array(code.description.filter { $0 != "-" })
        #expect(symbols.count == 35)
        #expect(ClaimCode(String(symbols))?.secret == code.secret)
        symbols[place] = symbols[place] == "7" ? "8" : "7"
        #expect(ClaimCode(String(symbols)) == nil)
    }
}
