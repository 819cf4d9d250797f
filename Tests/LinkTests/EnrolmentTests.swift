import Crypto
import DeviceManager
import DeviceModel
import Glibc
import HALTestKit
import NIOPosix
import TestSupport
import Testing
import Transport
import Wire

@testable import Link

/// The first contact: the device knows the router by its claim code before it says a word, and keeps its key and its trust.
@Suite(.timeLimit(.minutes(1))) struct EnrolmentTests {
    private let folder: TemporaryDirectory
    private let time = ManualTime()

    init() throws {
        folder = try TemporaryDirectory()
    }

    private var keyFile: String { folder.file("device.key") }
    private var pinned: String { folder.file("router-ca.pem") }

    private func code(_ caDigest: [UInt8]?) -> ClaimCode {
        var generator = SeededGenerator(seed: 1)
        return ClaimCode(caDigest: caDigest, using: &generator)
    }

    private func access(_ settings: String) throws -> RouterAccess {
        let device = try LinkedDevice(folder, router: settings)
        return RouterAccess(try #require(device.configuration.router), stateDirectory: folder.path)
    }

    /// Enrols the device while a test plays the router.
    private func enrol(
        _ settings: String, _ way: Enrolment.Way, at router: FakeRouter,
        onPending: @escaping @Sendable (String) -> Void = { _ in },
        _ play: @escaping @Sendable (inout RouterEnd) async throws -> Void
    ) async throws -> String {
        let enrolment = Enrolment(
            device: "greenhouse", access: try access(settings), time: time,
            group: .singletonMultiThreadedEventLoopGroup, software: "test")
        let player = Task {
            var end = try await router.next()
            try await play(&end)
            while try await !end.isClosed() {}
        }
        do {
            let owner = try await enrolment.run(way, onPending: onPending)
            try await player.value
            return owner
        } catch {
            player.cancel()
            _ = await player.result
            throw error
        }
    }

    /// Whether a device has signed to be let in by this router.
    private func isRight(_ enroll: Enroll, _ router: FakeRouter) throws -> Bool {
        let statement = SignedStatement(
            purpose: .enroll, nonce: RouterEnd.nonce, routerKeyHash: router.keyHash, boot: time.boot,
            device: "greenhouse")
        return try Curve25519.Signing.PublicKey(rawRepresentation: enroll.key)
            .isValidSignature(enroll.signature, for: statement.bytes)
    }

    private func error(_ body: () async throws -> String) async -> (any ExplainedError)? {
        do {
            _ = try await body()
            return nil
        } catch {
            return error as? any ExplainedError
        }
    }

    // MARK: By claim code

    @Test("By a claim code the device is let in, and trusts that router's CA from now on") func claim() async throws {
        let router = try await FakeRouter(folder)
        let code = code(router.caDigest)
        let settings = "url = \"\(router.address)\""
        let owner = try await enrol(settings, .claim(code), at: router) { [self] end in
            try await end.say(Challenge(nonce: RouterEnd.nonce))
            let enroll = try await end.next(Enroll.self)
            #expect(enroll.claim == code.secret)
            #expect(enroll.account == nil)
            #expect(enroll.device == "greenhouse")
            #expect(enroll.boot == time.boot)
            #expect(try isRight(enroll, router))
            #expect(try DeviceKey.load(keyFile)?.publicKey == enroll.key)
            try await end.say(Enrolled(owner: "anna"))
        }
        #expect(owner == "anna")
        #expect(try access(settings).trust == .file(pinned))
        let client = WebSocketClient(group: .singletonMultiThreadedEventLoopGroup, agent: "test")
        let channel = try await client.connect(
            to: router.address, path: RouterAccess.path, trust: access(settings).trust)
        await channel.close()
        try await router.close()
    }

    @Test("A router with another CA than the code's learns nothing, and nothing is written") func otherRouter()
        async throws
    {
        let router = try await FakeRouter(folder)
        let code = code([UInt8](repeating: 5, count: 32))
        let error = await error {
            try await enrol("url = \"\(router.address)\"", .claim(code), at: router) { _ in }
        }
        #expect(error?.code == .untrusted)
        #expect(error?.description.contains("is not the router that gave this claim code") == true)
        #expect(!router.hasVisitor)
        #expect(try SafeFile.read(keyFile) == nil)
        #expect(try SafeFile.read(pinned) == nil)
        try await router.close()
    }

    @Test("A code that the router does not take is an error in the router's words; the key stays for the next try")
    func refused() async throws {
        let router = try await FakeRouter(folder)
        let code = code(router.caDigest)
        var keys: [[UInt8]] = []
        for _ in 0..<2 {
            let error = await error {
                try await enrol("url = \"\(router.address)\"", .claim(code), at: router) { end in
                    try await end.say(Challenge(nonce: RouterEnd.nonce))
                    _ = try await end.next(Enroll.self)
                    try await end.say(Failure(.expired, "this claim code was used before").envelope(.deviceSession))
                }
            }
            #expect(error?.code == .expired)
            #expect(error?.description == "the router says: this claim code was used before")
            #expect(try SafeFile.read(pinned) == nil)
            keys.append(try #require(try DeviceKey.load(keyFile)).publicKey)
        }
        #expect(keys[0] == keys[1])
        try await router.close()
    }

    @Test("Where the configuration names the CA that one is trusted, and one that was pinned before is forgotten")
    func configuredCA() async throws {
        let router = try await FakeRouter(folder)
        try folder.write("router-ca.pem", "an old one")
        let owner = try await enrol(router.settings, .claim(code([UInt8](repeating: 5, count: 32))), at: router) {
            end in
            try await end.say(Challenge(nonce: RouterEnd.nonce))
            _ = try await end.next(Enroll.self)
            try await end.say(Enrolled(owner: "anna"))
        }
        #expect(owner == "anna")
        #expect(try SafeFile.read(pinned) == nil)
        #expect(try access(router.settings).trust == .file(router.caFile))
        try await router.close()
    }

    @Test("A code for a router that the system trusts does not make an unknown one trusted") func systemTrust()
        async throws
    {
        let router = try await FakeRouter(folder)
        let error = await error {
            try await enrol("url = \"\(router.address)\"", .claim(code(nil)), at: router) { _ in }
        }
        #expect(error?.code == .untrusted)
        #expect(!router.hasVisitor)
        try await router.close()
    }

    // MARK: By acceptance

    @Test("Without a code the device shows its fingerprint and waits until its owner has accepted it") func acceptance()
        async throws
    {
        let router = try await FakeRouter(folder)
        let shown = Mailbox<String>(bound: 4, policy: .refuseNewest)
        let owner = try await enrol(
            router.settings, .acceptance(account: "anna"), at: router, onPending: { shown.send($0) }
        ) { [self] end in
            try await end.say(Challenge(nonce: RouterEnd.nonce))
            let enroll = try await end.next(Enroll.self)
            #expect(enroll.claim == nil)
            #expect(enroll.account == "anna")
            #expect(try isRight(enroll, router))
            try await end.say(EnrolmentPending(fingerprint: Fingerprint.text(of: enroll.key)))
            for _ in 0..<3 {
                try await end.say(Heartbeat())
                #expect(try await end.next(Heartbeat.self).monotonic != nil)
            }
            #expect(await shown.next() == (try DeviceKey.load(keyFile)?.fingerprint))
            try await end.say(Enrolled(owner: "anna"))
        }
        #expect(owner == "anna")
        #expect(try SafeFile.read(pinned) == nil)
        try await router.close()
    }

    @Test("A router that hangs up before the device is let in is an error that says so") func hangsUp() async throws {
        let router = try await FakeRouter(folder)
        let error = await error {
            try await enrol(router.settings, .acceptance(account: "anna"), at: router) { end in
                try await end.say(Challenge(nonce: RouterEnd.nonce))
                _ = try await end.next(Enroll.self)
                await end.channel.close()
            }
        }
        #expect(error?.description == "the router closed the connection before it had answered")
        try await router.close()
    }

    @Test("What the router did not understand is told in its words") func controlErrors() async throws {
        let router = try await FakeRouter(folder)
        let error = await error {
            try await enrol(router.settings, .acceptance(account: "anna"), at: router) { end in
                try await end.say(Challenge(nonce: RouterEnd.nonce))
                _ = try await end.next(Enroll.self)
                try await end.say(ControlError("enrolling is not for today"))
            }
        }
        #expect(error?.description.contains("enrolling is not for today") == true)
        try await router.close()
    }

    // MARK: The key

    @Test("A key that is there is used, and a damaged one is not written over") func keepsTheKey() async throws {
        let router = try await FakeRouter(folder)
        let key = try DeviceKey.create(keyFile)
        _ = try await enrol(router.settings, .acceptance(account: "anna"), at: router) { end in
            try await end.say(Challenge(nonce: RouterEnd.nonce))
            #expect(try await end.next(Enroll.self).key == key.publicKey)
            try await end.say(Enrolled(owner: "anna"))
        }
        let damaged = Array("-----BEGIN PRIVATE KEY-----\nMC4C".utf8)
        try SafeFile.write(damaged, to: keyFile)
        let error = await error {
            try await enrol(router.settings, .acceptance(account: "anna"), at: router) { _ in }
        }
        #expect(error?.resource == keyFile)
        #expect(try SafeFile.read(keyFile) == damaged)
        #expect(!router.hasVisitor)
        try await router.close()
    }

    @Test("The configuration's CA is trusted before the pinned one, and that before the system's") func trust() throws {
        let url = "url = \"wss://router.example\""
        #expect(try access(url).trust == .system)
        try access(url).pin("a certificate")
        #expect(try access(url).trust == .file(pinned))
        #expect(try access("\(url)\nca_file = \"/etc/ca.pem\"").trust == .file("/etc/ca.pem"))
        try access(url).unpin()
        #expect(try access(url).trust == .system)
    }

    @Test("A pinned CA that is there and can't be read does not make the system's trusted") func unreadable() throws {
        let url = "url = \"wss://router.example\""
        #expect(symlink(folder.file("nowhere"), pinned) == 0)
        #expect(try access(url).trust == .file(pinned))
        try access(url).unpin()
        #expect(mkdir(pinned, 0o700) == 0)
        #expect(try access(url).trust == .file(pinned))
    }
}
