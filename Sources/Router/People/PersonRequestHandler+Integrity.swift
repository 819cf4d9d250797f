import DeviceModel
import Transport
import Wire

/// What a person asks about the files of their devices, and decides.
extension PersonRequestHandler {
    func isDangerous(_ request: IntegrityRequest) -> Bool {
        switch request {
        // What is changed by a release is decided by whoever has signed it.
        case .status, .changes, .release: false
        case .approve, .enable, .window: true
        }
    }

    func answer(_ request: IntegrityRequest, _ conversation: Conversation) async throws {
        let device = try await one(Address(device: request.device))
        var shown: SHA256Hash?
        if case .status = request {} else { try await needOnline(device) }
        switch request {
        case .status: break
        case .changes: shown = try await tellChanges(device, conversation)
        case .approve(_, let root): try await approve(device, root)
        case .release(_, let manifest): try await expect(manifest, device)
        case .enable(_, let response): try await enableFiles(device, response)
        case .window(_, let length): try await open(length, device)
        }
        try await conversation.send([.integrity(try await report(device, shown))])
    }

    /// Only the device itself can tell or do what is wanted.
    private func needOnline(_ device: RouterStore.ListedDevice) async throws(Failure) {
        guard await !core.switchboard.isOnline(device.row) else { return }
        throw Failure(
            .unreachable,
            "\(device.name) is not connected; `m2m devices` shows since when, and `m2m integrity \(device.name) status` "
                + "what was approved")
    }

    /// How the watch is, by the device where it is connected, and by the router.
    ///
    /// - Parameters:
    ///   - device: The device.
    ///   - shown: The root over the files that were just told; nil: none were.
    /// - Returns: What both say.
    /// - Throws: What the database throws.
    private func report(_ device: RouterStore.ListedDevice, _ shown: SHA256Hash?) async throws -> ReportedIntegrity {
        let files = try await core.store.files(of: owner, device: device.row)
        let answer = await core.switchboard.inquire(.status, device: device.row, owner: owner)
        var status = answer.status
        // What is approved next is what was told, and not what has come since.
        if let shown { status?.found = shown }
        return ReportedIntegrity(
            device: device.name, status: status, silence: status == nil ? answer.outcome.reason : nil,
            approval: ReportedIntegrity.Approval(
                root: files.approved?.root, counter: files.counter, time: files.approved?.time,
                by: files.approved?.by.description, disabledBecause: files.disabledBecause,
                objection: files.objection?.words, next: files.next?.by.description))
    }

    // MARK: Looking

    /// Tells all changes.
    ///
    /// - Returns: The root over the files to which they belong.
    private func tellChanges(
        _ device: RouterStore.ListedDevice, _ conversation: Conversation
    ) async throws -> SHA256Hash {
        let (changes, root) = try await changes(device)
        for start in stride(from: 0, to: changes.count, by: Self.portion) {
            let part = changes[start..<min(start + Self.portion, changes.count)]
            try await conversation.send(part.map { .change(ReportedChange(device: device.name, change: $0)) })
        }
        return root
    }

    /// How the files differ from what was approved.
    ///
    /// What the device calls a change is what differs from its own baseline. Where that, added to what was approved, does
    /// not come to the root over its files, all of them are fetched and compared here.
    private func changes(
        _ device: RouterStore.ListedDevice
    ) async throws -> (changes: [FileChange], root: SHA256Hash) {
        let approved = try await core.store.approvedFiles(of: owner, device: device.row)
        let (said, root) = try await core.fetchAll(from: device.row, of: owner, \.changes) { .changes(from: $0) }
        guard let approved else { return (said, root) }
        let entries = FileChange.apply(said, to: approved)
        if MerkleTree.root(of: entries, sha256: Digest.of) == root {
            // In what files differ is not left to the device's word; what it knows of them besides is.
            let remarks = said.reduce(into: [:]) { $0[$1.path] = $1.remark }
            let changes = FileChange.all(from: approved, to: entries).map { change in
                var change = change
                change.remark = remarks[change.path]
                return change
            }
            return (changes, root)
        }
        let found = try await core.files(of: device.row, owner: owner)
        return (FileChange.all(from: approved, to: found.entries), found.root)
    }
}
