import DeviceModel
import Wire

extension Switchboard {
    /// How long a device may take to answer a question about its files.
    private static let inquiryPatience: Duration = .seconds(20)

    /// Asks a device for something about its files, and waits for the answer.
    ///
    /// - Parameters:
    ///   - want: What is wanted.
    ///   - device: The device's row.
    ///   - owner: Whose it is.
    /// - Returns: The answer; `unreachable` where the device is not connected, and `unknown` where none came.
    func inquire(_ want: IntegrityAsk.Want, device: Int64, owner: Owner) async -> IntegrityAnswer {
        let id = SecretHasher.random(8).hexadecimal
        let deadline = time.now + Self.inquiryPatience
        guard let target = await confirmed(device, owner, until: deadline) else {
            return IntegrityAnswer(id: id, CommandOutcome(.unreachable, "the device is not connected"))
        }
        guard case .accepted = target.notices.send(.inquire(IntegrityAsk(id: id, want))) else {
            return IntegrityAnswer(id: id, CommandOutcome(.unreachable, "too much is on its way to this device"))
        }
        let inquiry = Inquiry(device: device, id: id)
        let answer = Mailbox<IntegrityAnswer>(bound: 1, policy: .refuseNewest)
        inquiries[inquiry] = answer
        defer { inquiries[inquiry] = nil }
        guard case .element(let message) = await answer.next(until: deadline, on: time) else {
            return IntegrityAnswer(id: id, CommandOutcome(.unknown))
        }
        return message
    }

    /// Whether a device is connected.
    func isOnline(_ device: Int64) -> Bool { online[device] != nil }

    /// Something is about to be approved for a device: one thing at a time.
    ///
    /// - Parameter device: The device's row.
    /// - Returns: Whether it may; then ``endApproval(of:)`` has to follow.
    func beginApproval(of device: Int64) -> Bool { approvals.insert(device).inserted }

    /// What was to be approved for a device is, or is not.
    func endApproval(of device: Int64) { approvals.remove(device) }

    /// A device has answered a question about its files.
    func answered(_ message: IntegrityAnswer, by device: Device) {
        inquiries[Inquiry(device: device.row, id: message.id)]?.send(message)
    }

    /// A device is gone: whoever waits for its answers waits no more.
    func endInquiries(of device: Int64) {
        for (inquiry, answer) in inquiries where inquiry.device == device { answer.finish() }
    }
}
