import DeviceModel
import GRDB
import HALTestKit
import TestSupport
import Wire

@testable import Router

/// A router on which mallory looks for what is bob's: bob has two devices with a past, one of them connected, one that
/// waits to be accepted, a session, a claim and a command on its way; or, in the other world, nothing of all this.
struct SpaceWorld {
    let bench: RouterBench
    let mallory: RouterStore.Owner
    let bob: RouterStore.Owner
    /// What bob's connected device is told: nothing, whatever mallory tries.
    let notices = MeetingPoint.notices()
    /// What bob hears who watches his space: nothing.
    private(set) var news: Mailbox<Item>?

    /// Names that are bob's in the one world, and nobody's in the other.
    static let devices: [DeviceID] = ["attic", "cellar", "waiting"]
    static let command: CommandID = "bobs-command"
    static let waitingKey = Sample.key(9)
    /// The root of the files of bob's cellar.
    static let root = Sample.root.bytes
    /// Of a release that the router has no key for.
    static let manifest = ReleaseManifest(
        release: "bobs-release 1", changes: [], signature: [UInt8](repeating: 7, count: ReleaseManifest.signatureSize)
    ).text
    static var fingerprint: String { KeyFingerprint(digest: Digest.sha256(waitingKey)).description }

    init(isFull: Bool) async throws {
        bench = try RouterBench()
        mallory = try await bench.addAccount("mallory")
        bob = try await bench.addAccount("bob")
        let own = try await bench.store.addDevice("greenhouse", of: mallory, key: Sample.key(3))
        try await bench.store.describe(own, Sample.description("greenhouse"))
        _ = try await bench.store.ingest(Sample.batch(Sample.readings(1...3)), from: own)
        guard isFull else { return }
        for (name, key) in [("attic", 1), ("cellar", 2)] as [(DeviceID, UInt8)] {
            let device = try await bench.store.addDevice(name, of: bob, key: Sample.key(key))
            try await bench.store.describe(device, Sample.description(name))
            _ = try await bench.store.ingest(
                Sample.batch(Sample.readings(1...3), gaps: [4...5]), from: device)
            try await bench.store.changeFiles(of: bob, device: device.row) { files in
                files.next = DeviceFiles.Next(root: Sample.root, by: .owner("bob"))
                files.next.map { files.promote($0.root, at: Sample.start) }
            }
            if name == "cellar" {
                await bench.core.switchboard.enter(device, notices: notices, clock: bench.time.now)
            }
        }
        try await bench.store.addPending(account: "bob", device: "waiting", key: Self.waitingKey)
        _ = try await bench.store.addClaim(bob, device: "shed", secretHash: Digest.sha256("0123456789ABC".utf8))
        _ = try await bench.core.logins.begin(bob)
        news = await bench.core.switchboard.watch(bob).arrivals
    }

    /// Everything in the database that is not mallory's, as text: what must not change.
    func foreignRows() async throws -> [String] {
        let own = mallory.id
        return try await bench.store.database.read { db in
            try ["devices", "claims", "pending", "sessions"].flatMap { table in
                try Row.fetchAll(db, sql: "SELECT * FROM \(table) WHERE owner <> ?", arguments: [own]).map { "\($0)" }
            }
                + ["observations", "gaps", "received", "streams", "clocks", "conflicts", "integrity"].flatMap { table in
                    try Row.fetchAll(
                        db,
                        sql: "SELECT t.* FROM \(table) t JOIN devices d ON d.id = t.device WHERE d.owner <> ?",
                        arguments: [own]
                    ).map { "\($0)" }
                }
        }
    }

    /// How much of what mallory did arrived anywhere in bob's space.
    var delivered: Int { notices.count + (news?.count ?? 0) }
}

/// Whatever mallory may ask: each field that any request has, now and then, with what is bob's.
struct Attempt {
    let type: String
    let body: [UInt8]

    /// The fields that requests have, and what may be in them; a request that needs another one is never understood, and
    /// the test says so.
    private static func fields(
        _ generator: inout SeededGenerator
    ) -> [(name: String, write: (inout MessagePackWriter) -> Void)] {
        let device = (SpaceWorld.devices + ["greenhouse", "shed"]).randomElement(using: &generator)?.rawValue ?? ""
        let component = ["climate", "heater", "nothing"].randomElement(using: &generator) ?? ""
        let property = ["temperature", "pressure", "nothing"].randomElement(using: &generator) ?? ""
        let number = Int64.random(in: -1...3, using: &generator)
        return [
            ("device", { $0.write(device) }), ("component", { $0.write(component) }),
            ("property", { $0.write(property) }), ("since", { $0.write(number) }), ("limit", { $0.write(number) }),
            ("id", { $0.write(SpaceWorld.command.rawValue) }), ("action", { $0.write("on") }),
            ("parameters", { $0.writeMap(0) }), ("expiry_ms", { $0.write(Int64(10_000)) }),
            ("lease", { $0.write("bobs-lease") }), ("lease_ms", { $0.write(Int64(10_000)) }),
            ("fingerprint", { $0.write(SpaceWorld.fingerprint) }), ("session", { $0.write("bobs-session") }),
            ("line", { $0.write("GPIO5") }), ("active", { $0.write(true) }),
            ("root", { $0.write(SpaceWorld.root) }), ("response", { $0.write("alert") }),
            ("window_ms", { $0.write(Int64(10_000)) }), ("manifest", { $0.write(Array(SpaceWorld.manifest.utf8)) }),
        ]
    }

    init(_ type: String, using generator: inout SeededGenerator) {
        self.type = type
        // Mostly what is needed, sometimes what is not, and sometimes not even that.
        let keepsAll = Bool.random(using: &generator)
        let fields = Self.fields(&generator).filter { _ in keepsAll || Int.random(in: 0..<4, using: &generator) > 0 }
        var writer = MessagePackWriter()
        writer.writeMap(fields.count)
        for field in fields {
            writer.write(field.name)
            field.write(&writer)
        }
        body = writer.bytes
    }

    func envelope(_ id: String) -> Envelope { Envelope(proto: .requests, type: type, session: id, body: body) }
}
