extension BoardInventory {
    /// The inventory as programs read it.
    public var json: JSONObject {
        var object = JSONObject()
        object.add("board", board)
        object.add("chips", chips.map(\.json))
        object.add("buses", buses.map(\.json))
        object.add("problems", problems)
        return object
    }
}

extension BoardInventory.Chip {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("name", name)
        object.add("label", label)
        object.add("lines", lines.map(\.json))
        return object
    }
}

extension BoardInventory.Line {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("offset", offset)
        object.add("name", name)
        object.add("direction", direction)
        object.add("consumer", consumer.map(Value.text))
        object.add("active", isActive.map(Value.boolean))
        return object
    }
}

extension BoardInventory.Bus {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("bus", number)
        object.add("name", name)
        let targets = targets.map { target in
            var object = JSONObject()
            object.add("address", "0x\(String(target.address, radix: 16))")
            object.add("driver", target.isHeldByDriver)
            return object
        }
        object.add("targets", targets)
        return object
    }
}
