import DeviceModel
import Wire

extension Switchboard {
    /// A device that is connected.
    struct Online {
        var device: Device
        /// Notices for the connection: 64 wait, one more is refused.
        var notices: Mailbox<Notice>
        /// The device's own clock, less ours, by its last word: never ahead, so that deadlines come early.
        var clockOffset: Duration
        var lastHeard: WallTime
        /// The boot of the device that speaks.
        var boot: BootID
        /// Why nothing is commanded; nil: nothing speaks against it.
        var alarm: String?
        /// Whether its owner wants it no more.
        var isRevoked = false
        /// Whether it was looked at once more since it is connected; until then commands wait.
        var isConfirmed = false
        /// Whoever waits for that.
        var confirmations: [Mailbox<Void>] = []
        /// Whether the alarm was raised or taken back since it is connected.
        var isAlarmNew = false
        /// Who wants to know whether the device is there.
        var askers: [Mailbox<Void>] = []
    }

    /// A question about a device's files.
    struct Inquiry: Hashable {
        var device: Int64
        var id: String
    }

    /// What a device was asked, and has not answered yet.
    struct Pending: Hashable {
        /// A command's id is its giver's own, so that two devices may have been given the same one.
        enum Question: Hashable {
            case call(CommandID)
            case renewal(String)
        }

        var device: Int64
        var question: Question
    }
}
