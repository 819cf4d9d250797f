import DeviceModel
import Wire

/// What the owner of a device decides about its files, and what a signed release does.
extension PersonRequestHandler {
    /// The files are meant to be as the owner was shown them.
    func approve(_ device: RouterStore.ListedDevice, _ root: SHA256Hash) async throws {
        let found = try await core.files(of: device.row, owner: owner)
        guard found.root == root else {
            throw Failure(
                .conflict, "the files have changed again since you were shown them; look at them, and approve then")
        }
        try await audited(.filesApproved, "\(device.name) root \(root)") {
            let next = DeviceFiles.Next(root: root, by: .owner(owner.name))
            try await approve(next, found.entries, on: device) { .approve(root: root, counter: $0) }
            let wall = core.time.wall
            try await core.store.changeFiles(of: owner, device: device.row) { $0.promote(root, at: wall) }
        }
    }

    /// A release is about to change files: the device is told what, and approves it when all of it has come.
    func expect(_ text: String, _ device: RouterStore.ListedDevice) async throws {
        let manifest: ReleaseManifest
        do throws(ManifestError) {
            manifest = try ReleaseManifest(text)
        } catch {
            throw Failure(.badRequest, error.description)
        }
        let by = DeviceFiles.Approver.release(manifest.release)
        try await audited(.filesRelease, "\(device.name) \(manifest.release)") {
            try core.settings.releaseKeys.check(manifest)
            guard let approved = try await core.store.approvedFiles(of: owner, device: device.row) else {
                throw Failure(
                    .conflict, "nothing was approved for \(device.name) yet; `m2m integrity \(device.name) approve`")
            }
            if let next = try await core.store.files(of: owner, device: device.row).next, next.by != by {
                let words = "\(next.by) is on its way to \(device.name), and comes first; "
                throw Failure(.conflict, words + "`m2m integrity \(device.name) approve` ends that")
            }
            let changes = try Self.changes(of: manifest, to: approved)
            let entries = FileChange.apply(changes, to: approved)
            let root = MerkleTree.root(of: entries, sha256: Digest.of)
            let next = DeviceFiles.Next(root: root, by: by)
            try await approve(next, entries, on: device) {
                .expect(
                    IntegrityExpectation(release: manifest.release, changes: changes, root: root, counter: $0))
            }
        }
    }

    private static func changes(
        of manifest: ReleaseManifest, to approved: [FileEntry]
    ) throws(Failure) -> [FileChange] {
        let changes: [FileChange]
        do throws(ManifestError) {
            changes = try manifest.changes(to: approved)
        } catch {
            throw Failure(.conflict, error.description)
        }
        guard !changes.isEmpty else {
            let words = "\(manifest.release) changes no file that is watched there, or all of it is approved already"
            throw Failure(.conflict, words)
        }
        return changes
    }

    /// Writes down what is about to be approved, and has the device do it.
    ///
    /// - Parameters:
    ///   - next: What is about to be approved.
    ///   - entries: Its files.
    ///   - device: The device.
    ///   - order: What the device is told, with the counter that it gets.
    /// - Throws: ``Failure``; where no answer came, what the device has done is known when it comes back.
    private func approve(
        _ next: DeviceFiles.Next, _ entries: [FileEntry], on device: RouterStore.ListedDevice,
        _ order: (UInt64) -> IntegrityOrder
    ) async throws {
        guard await core.switchboard.beginApproval(of: device.row) else {
            throw Failure(.busy, "something else is just being approved for \(device.name); try again in a moment")
        }
        do {
            // What is on its way is not touched for a device that is not there.
            guard await core.switchboard.isOnline(device.row) else {
                throw Failure(.unreachable, "the device is not connected")
            }
            let before = try await core.store.files(of: owner, device: device.row).next
            let filesBefore = try await core.store.nextFiles(of: owner, device: device.row)
            let (files, _) = try await core.store.changeFiles(of: owner, device: device.row, nextFiles: entries) {
                $0.next = next
            }
            let answer = await core.switchboard.inquire(
                .order(order(files.counter + 1)), device: device.row, owner: owner)
            if let failure = Failure(order: answer.outcome) {
                if [.refused, .failed, .unreachable].contains(answer.outcome.status) {
                    try await core.store.changeFiles(of: owner, device: device.row, nextFiles: filesBefore) {
                        $0.withdraw(next.root, to: before)
                    }
                }
                throw failure
            }
            if case .approve(let root, _) = order(0), let has = answer.status?.root, has != root {
                throw Failure(.conflict, "the device says that it has done it, and has another baseline")
            }
        } catch {
            await core.switchboard.endApproval(of: device.row)
            throw error
        }
        await core.switchboard.endApproval(of: device.row)
    }

    /// The device is commanded again.
    func enableFiles(_ device: RouterStore.ListedDevice, _ response: IntegrityResponse?) async throws {
        let object = device.name.rawValue + (response.map { " response \($0.rawValue)" } ?? "")
        try await audited(.filesEnabled, object) {
            let files = try await core.store.files(of: owner, device: device.row)
            if let objection = files.objection, objection != .isSilent {
                throw Failure(.conflict, "\(objection.words); look at its files, and approve or mend them first")
            }
            // First, so that what the device says of a change that comes right after counts.
            try await core.store.changeFiles(of: owner, device: device.row) { $0.disabledBecause = nil }
            let answer = await core.switchboard.inquire(
                .order(.enable(response)), device: device.row, owner: owner)
            let failure = Failure(order: answer.outcome)
            try await core.store.changeFiles(of: owner, device: device.row) { now in
                guard failure == nil else {
                    return now.disabledBecause = now.disabledBecause ?? files.disabledBecause
                }
                guard let response else { return }
                (now.wanted, now.response) = (response, response)
            }
            if let failure { throw failure }
        }
        await core.switchboard.tell(owner, .device(try await summary(of: device.name)))
    }

    /// How long a window may be open.
    private static let longestWindow: Duration = .seconds(86_400)

    /// Changes are collected for a while.
    func open(_ length: Duration, _ device: RouterStore.ListedDevice) async throws {
        guard length <= Self.longestWindow else {
            throw Failure(.badRequest, "a window is open for at most \(Self.longestWindow.text)")
        }
        try await audited(.filesWindow, "\(device.name) \(length.text)") {
            let end = length > .zero ? core.time.wall + length : nil
            let (_, before) = try await core.store.changeFiles(of: owner, device: device.row) { files in
                defer { files.windowEnd = end }
                return files.windowEnd
            }
            let answer = await core.switchboard.inquire(.order(.window(length)), device: device.row, owner: owner)
            guard let failure = Failure(order: answer.outcome) else { return }
            // Nobody knows which of both it is by now.
            let isUnknown = answer.outcome.status == .unknown
            try await core.store.changeFiles(of: owner, device: device.row) {
                $0.windowEnd = isUnknown ? [before, end].compactMap(\.self).max() : before
            }
            throw failure
        }
    }
}
