import DeviceModel
import Logging
import Wire

/// What a device says of its files.
extension DeviceConnection {
    /// Judges what a device says when it comes.
    func judge(_ claim: IntegrityClaim?, of device: RouterStore.Device) async throws -> IntegrityVerdict? {
        let wall = core.time.wall
        let (files, (before, verdict)) = try await core.store.changeFiles(of: device.owner, device: device.row) {
            files in
            let before = files
            return (before, files.judge(claim, at: wall))
        }
        if let objection = files.objection, before.objection != objection {
            await alarm(device, files, objection.words)
        }
        if files.counter != before.counter { noteApproval(device, files) }
        return verdict
    }

    private func noteApproval(_ device: RouterStore.Device, _ files: DeviceFiles) {
        let root = files.approved.map { " root \($0.root)" } ?? ""
        core.audit.note(
            .filesAdopted, party(device.name, device.owner), "\(device.name)\(root)",
            result: files.approved.map { "approved by \($0.by)" } ?? "")
    }

    /// The watch over the device's files has found something: where it has disabled the device, it stays so until its
    /// owner enables it again, whatever the device says later.
    func heed(_ report: IntegrityReport, of device: RouterStore.Device) async throws {
        if let claim = report.claim {
            let wall = core.time.wall
            let (files, by) = try await core.store.changeFiles(of: device.owner, device: device.row) {
                $0.hear(claim, at: wall)
            }
            // What its owner has approved is in the log already.
            if case .release = by { noteApproval(device, files) }
        }
        guard let said = report.disabledBecause else { return }
        let reason = String(said.split(whereSeparator: \.isNewline).joined(separator: " ").prefix(Self.reasonLimit))
        let (files, isNew) = try await core.store.changeFiles(of: device.owner, device: device.row) { files in
            guard files.disabledBecause == nil else { return false }
            files.disabledBecause = reason
            return true
        }
        if isNew { await alarm(device, files, reason) }
    }

    /// How many characters of a device's reason are kept.
    private static let reasonLimit = 512

    private func alarm(_ device: RouterStore.Device, _ files: DeviceFiles, _ reason: String) async {
        logger.error(
            "a device's files are not as approved",
            metadata: ["device": "\(device.name)", "owner": "\(device.owner.name)", "reason": "\(reason)"])
        let party = party(device.name, device.owner)
        core.audit.note(
            .filesAlarm, party, device.name.rawValue,
            result: files.disabledBecause == nil ? reason : "disabled: \(reason)")
        await core.switchboard.tell(
            device.owner,
            .device(
                DeviceSummary(
                    device: device.name, isOnline: true, lastSeen: core.time.wall, alarm: device.alarm,
                    disabledBecause: files.disabledBecause, objection: files.objection?.words)))
    }
}
