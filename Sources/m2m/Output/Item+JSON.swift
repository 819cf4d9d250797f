import DeviceModel
import Wire

extension Item {
    /// The item as programs read it: one object, times in UTC, values in the unit for people.
    var json: JSONObject {
        switch self {
        case .observation(let report): report.json
        case .gap(let report): report.json
        case .device(let device): device.json
        case .description(let description): description.json
        case .ticket(let ticket): ticket.json
        case .pending(let pending): pending.json
        case .account(let account): account.json
        case .session(let session): session.json
        case .audit(let record): record.json
        case .status(let status): status.json
        case .inventory(let inventory): inventory.json
        case .integrity(let report): report.json
        case .change(let report): report.json
        }
    }
}

extension ReportedObservation {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        switch content {
        case .reading(let reading):
            object.add("device", device.rawValue)
            object.add("component", reading.component.rawValue)
            object.add("property", reading.property)
            object.add("value", reading.value?.displayed(as: quantity))
            if let symbol = quantity?.display.symbol, !symbol.isEmpty { object.add("unit", symbol) }
            object.add("quality", reading.quality.rawValue)
            if let reason = reading.reason { object.add("reason", reason) }
        case .event(let event):
            object.add("device", device.rawValue)
            object.add("component", event.component.rawValue)
            object.add("event", event.name)
            if let detail = event.detail { object.add("detail", detail) }
        case .result(let result):
            object = JSONObject(
                id: result.id, device: device, component: result.component, action: result.action,
                CommandOutcome(result.status, result.reason))
            if let author = result.author { object.add("by", author) }
        }
        object.add("time", time.rfc3339)
        if !isDated { object.add("clock", "unsynchronised") }
        if let position {
            object.add("epoch", position.epochText)
            object.add("sequence", position.sequence)
        }
        return object
    }
}

extension JSONObject {
    /// How a command ended, of which not everything has to be known.
    init(
        id: CommandID, device: DeviceID?, component: ComponentID?, action: String, _ outcome: CommandOutcome
    ) {
        self.init()
        add("id", id.rawValue)
        if let device { add("device", device.rawValue) }
        if let component { add("component", component.rawValue) }
        add("action", action)
        add("status", outcome.status.rawValue)
        if let reason = outcome.reason { add("reason", reason) }
    }
}

extension StreamPosition {
    /// The epoch as 16 hexadecimal digits: as a number, not every program could read it exactly.
    fileprivate var epochText: String {
        epoch.padded(to: 16, radix: 16)
    }
}

extension ReportedGap {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("device", device.rawValue)
        object.add("stream", gap.stream.rawValue)
        object.add("epoch", StreamPosition(stream: gap.stream, epoch: gap.epoch, sequence: gap.first).epochText)
        object.add("first", gap.first)
        object.add("last", gap.last)
        object.add("missing", gap.count.map { Value.integer(Int64(clamping: $0)) })
        object.add("reason", gap.reason.rawValue)
        object.add("since", gap.since.map { Value.text($0.rfc3339) })
        object.add("until", gap.until.map { Value.text($0.rfc3339) })
        return object
    }
}

extension DeviceSummary {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("device", device.rawValue)
        if let label { object.add("label", label) }
        object.add("state", isRevoked ? "revoked" : isOnline ? "online" : "offline")
        if let alarm { object.add("alarm", alarm) }
        if let reason = disabledBecause { object.add("disabled", reason) }
        if let objection { object.add("objection", objection) }
        object.add("last_seen", lastSeen.map { Value.text($0.rfc3339) })
        if let losses {
            object.add("missing", losses.missing)
            object.add("unknown", losses.unknown)
            object.add("conflicts", losses.conflicts)
        }
        return object
    }
}

extension ClaimTicket {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("device", device.rawValue)
        object.add("code", code)
        object.add("expires", expires.rfc3339)
        return object
    }
}

extension PendingDevice {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("device", device.rawValue)
        object.add("fingerprint", fingerprint)
        object.add("since", since.rfc3339)
        return object
    }
}

extension AccountSummary {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("user", user)
        object.add("place", place)
        if let expires { object.add("expires", expires.rfc3339) }
        return object
    }
}
