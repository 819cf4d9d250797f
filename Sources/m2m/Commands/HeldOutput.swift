import Client
import DeviceModel
import Glibc
import Synchronization
import Terminal
import UnixSignals
import Wire

/// An output that a command has switched and that is held from then on, by this program and for as long as it runs.
struct HeldOutput {
    private let call: CallRequest
    private let lease: Lease
    private let isJSON: Bool
    private let signals: HoldSignals

    /// What was done, under which lease, and how it is told of.
    init(_ call: CallRequest, _ lease: Lease, until signals: HoldSignals, isJSON: Bool) {
        self.call = call
        self.lease = lease
        self.signals = signals
        self.isJSON = isJSON
    }

    /// Holds the output until a signal comes, and makes it safe then; throws where it ended otherwise.
    func hold(_ first: consuming sending ClientConnection) async throws {
        let isHere = call.address.device == nil
        let connection = RenewingConnection(first) {
            isHere ? try await Place.local() : try await Place.router(mayAsk: false)
        }
        let holder = Holder(call.address, lease: lease.id, time: try SystemTime()) { request in
            try await connection.ask(.renew(request))
        }
        signals.letGo(of: holder)
        let end = await holder.run { news in tell(news) }
        try tell(end)
        await connection.close()
    }

    private var name: String { "\(call.address) \(call.action)" }

    private func tell(_ news: Hold.News) {
        switch news {
        case .lost(let reason): Output.error("m2m: \(name): \(reason); trying again")
        case .back: Output.error("m2m: \(name): held again")
        }
    }

    private func tell(_ end: Hold.End) throws {
        switch end {
        case .released:
            if isJSON { Output.line(json(.done).text) } else { Output.line("\(name): let go; it is safe again") }
        case .refused(let refusal):
            if isJSON { Output.line(json(.refused, refusal.reason).text) }
            Output.error("m2m: \(name): held no longer: \(refusal.reason)")
            throw ProgramExit(refusal.code.exitStatus)
        case .lost(let reason):
            if isJSON { Output.line(json(.unreachable, reason).text) }
            Output.error(
                "m2m: \(name): held no longer (\(reason)): safe again within \(Hold.duration.text) at the latest")
            throw ProgramExit(.notReachable)
        }
    }

    /// The end as programs read it.
    private func json(_ status: CommandStatus, _ reason: String? = nil) -> JSONObject {
        var object = call.json(status, reason)
        object.add("hold", "ended")
        return object
    }
}

/// The signals by which a person ends a hold: Ctrl-C, a polite kill, a terminal that is closed.
///
/// They are taken from before the command is given, so that none of them ends the program without a word. One that comes
/// before the command's answer ends the hold as soon as that is there; a second one does not wait for it.
final class HoldSignals: Sendable {
    private let state = Mutex((holder: Holder?.none, isReleased: false))

    /// Takes the signals; `name` is what is held, for words.
    init(for name: String) async {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        Task { for await _ in signals { arrived(name) } }
    }

    /// From now on, and if there was a signal already: lets go of this.
    func letGo(of holder: Holder) {
        let isReleased = state.withLock { state in
            state.holder = holder
            return state.isReleased
        }
        if isReleased { holder.release() }
    }

    private func arrived(_ name: String) {
        let (holder, isSecond) = state.withLock { state in
            defer { state.isReleased = true }
            return (state.holder, state.isReleased)
        }
        if let holder { return holder.release() }
        guard isSecond else { return }
        Output.error(
            "m2m: \(name): ended before the answer came; if it was done, safe again within \(Hold.duration.text)")
        exit(ExitStatus.failed.rawValue)
    }
}
