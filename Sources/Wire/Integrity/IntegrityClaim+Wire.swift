import DeviceModel

extension IntegrityClaim {
    func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("root", root?.bytes)
            map.field("counter", counter)
            map.field("response", response.rawValue)
            if hasWindow { map.field("window", true) }
            map.field("expected", expected?.bytes)
        }
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        var root: SHA256Hash?
        var counter: UInt64?
        var response: IntegrityResponse?
        var hasWindow = false
        var expected: SHA256Hash?
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "root": root = try reader.readDigest(key)
            case "counter": counter = try reader.readUInt64()
            case "response": response = try reader.readChoice(IntegrityResponse.self, key)
            case "window": hasWindow = try reader.readBool()
            case "expected": expected = try reader.readDigest(key)
            default: try reader.skip()
            }
        }
        self.init(
            root: root, counter: counter,
            response: try reader.require(response, "response"), hasWindow: hasWindow,
            expected: expected)
    }
}

extension IntegrityVerdict {
    func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("counter", counter)
            map.field("disabled", disabledBecause)
            map.field("objection", objection)
            map.field("response", response?.rawValue)
        }
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        var counter: UInt64?
        var (disabledBecause, objection): (String?, String?)
        var response: IntegrityResponse?
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "counter": counter = try reader.readUInt64()
            case "disabled": disabledBecause = try reader.readString()
            case "objection": objection = try reader.readString()
            case "response": response = try reader.readChoice(IntegrityResponse.self, key)
            default: try reader.skip()
            }
        }
        self.init(
            counter: try reader.require(counter, "counter"), disabledBecause: disabledBecause, objection: objection,
            response: response)
    }
}
