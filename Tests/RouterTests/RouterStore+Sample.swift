import DeviceModel
import GRDB
import TestSupport
import Testing
import Wire

@testable import Router

extension RouterStore {
    /// An account whose secrets nobody knows.
    func addOwner(_ name: String) async throws -> Owner {
        try await addAccount(name, password: Sample.secret(1), code: Sample.secret(2))
        return try #require(try await account(name)).owner
    }

    /// A device that came in by a claim code.
    func addDevice(_ name: DeviceID, of owner: Owner, key: [UInt8]) async throws -> Device {
        let secret = Digest.sha256(key + Array("\(owner.name)/\(name)".utf8))
        _ = try await addClaim(owner, device: name, secretHash: secret)
        _ = try await useClaim(secretHash: secret, device: name, key: key)
        return try #require(try await device(key: key))
    }

    /// A device of somebody who gets an account with the first one.
    func newDevice(_ name: DeviceID = "greenhouse", of user: String = "ada", key: UInt8 = 1) async throws -> Device {
        let known = try await account(user)?.owner
        let owner = if let known { known } else { try await addOwner(user) }
        return try await addDevice(name, of: owner, key: Sample.key(key))
    }

    /// Stores one batch.
    ///
    /// - Throws: Why it is refused, too.
    func ingest(_ batch: ObservationBatch, from device: Device) async throws -> Ingested {
        let (ingested, refusal) = try await ingest([batch], from: device)
        if let refusal { throw refusal }
        return try #require(ingested.first)
    }

    /// The number for which a batch is refused; nil: it is stored.
    func clash(_ batch: ObservationBatch, from device: Device) async throws -> UInt64? {
        do {
            _ = try await ingest(batch, from: device)
            return nil
        } catch let conflict as NumberConflict {
            return conflict.position.sequence
        }
    }

    /// What a device's owner is shown of the past of its sensor, without what is missing.
    func records(
        of device: Device, _ property: String? = "temperature", since: WallTime? = nil, limit: Int = 1_000
    ) async throws -> [RecordedObservation] {
        try await history(
            device.owner, device.row, Sample.climate, property: property, since: since, limit: limit
        ).compactMap(\.record)
    }

    /// How many rows a table has.
    func count(_ table: String) async throws -> Int {
        try await database.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table)") ?? 0 }
    }
}
