import DeviceModel
import Wire

extension Failure {
    /// What a person is told when a device did not do what they wanted of the watch over its files; nil: it did.
    init?(order outcome: CommandOutcome) {
        self.init(outcome, silence: "no answer came; it may have been done")
    }

    /// What a person is told when a device did not answer a question about its files; nil: it did.
    init?(question outcome: CommandOutcome) {
        self.init(outcome, silence: "the device is connected, and does not answer; try again")
    }

    private init?(_ outcome: CommandOutcome, silence: String) {
        switch outcome.status {
        case .done: return nil
        case .refused: self.init(.conflict, outcome.reason ?? "the device has refused it")
        case .unreachable, .unknown, .expired: self.init(.unreachable, outcome.reason ?? silence)
        case .failed, .interrupted: self.init(.systemFailure, outcome.reason ?? "the device could not do it")
        }
    }
}
