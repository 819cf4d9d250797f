import DeviceModel

extension DeviceDescription {
    /// The description as programs read it.
    var json: JSONObject {
        var object = JSONObject()
        object.add("device", id.rawValue)
        if let label { object.add("label", label) }
        object.add("software", software)
        object.add("components", components.map(\.json))
        return object
    }
}

extension ComponentDescription {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("component", id.rawValue)
        object.add("model", model)
        if let label { object.add("label", label) }
        object.add("properties", properties.map(\.json))
        object.add("actions", actions.map(\.json))
        object.add("events", events.map(\.json))
        if !limits.isEmpty { object.add("limits", limits) }
        return object
    }
}

extension PropertyDescription {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("name", name)
        object.add("title", title)
        object.addType(type, quantity, minimum, maximum)
        return object
    }
}

extension ActionDescription {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("name", name)
        object.add("title", title)
        object.add("parameters", parameters.map(\.json))
        return object
    }
}

extension ParameterDescription {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("name", name)
        object.add("title", title)
        object.addType(type, quantity, minimum, maximum)
        object.add("required", isRequired)
        return object
    }
}

extension EventDescription {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("name", name)
        object.add("title", title)
        return object
    }
}

extension JSONObject {
    fileprivate mutating func addType(_ type: ValueType, _ quantity: Quantity?, _ minimum: Double?, _ maximum: Double?)
    {
        add("type", type.rawValue)
        if let symbol = quantity?.display.symbol, !symbol.isEmpty { add("unit", symbol) }
        if let minimum { add("minimum", quantity?.displayed(minimum) ?? minimum) }
        if let maximum { add("maximum", quantity?.displayed(maximum) ?? maximum) }
    }
}

extension AgentStatus {
    /// The status as programs read it.
    var json: JSONObject {
        var object = JSONObject()
        object.add("device", device.rawValue)
        object.add("software", software)
        object.add("board", board)
        object.add("uptime_s", uptime.components.seconds)
        if let link {
            var inside = JSONObject()
            inside.add("router", link.router)
            inside.add("state", link.state.rawValue)
            if let reason = link.reason { inside.add("reason", reason) }
            inside.add("failed_attempts", link.failedAttempts)
            object.add("link", inside)
        }
        var inside = JSONObject()
        inside.add("kept", store.kept)
        inside.add("bytes", store.bytes)
        inside.add("dropped", store.dropped)
        if let problem = store.problem { inside.add("problem", problem) }
        object.add("store", inside)
        object.add("components", components.map(\.json))
        object.add("notes", notes)
        return object
    }
}

extension ComponentStatus {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("component", id.rawValue)
        object.add("model", model)
        object.add("state", problem == nil ? "works" : "failed")
        if let problem { object.add("reason", problem) }
        object.add("failures", failures)
        return object
    }
}
