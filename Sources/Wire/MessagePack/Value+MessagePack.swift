public import DeviceModel

extension MessagePackWriter {
    /// A value of a property or a parameter, in its own MessagePack type.
    public mutating func write(_ value: Value) {
        switch value {
        case .boolean(let boolean): write(boolean)
        case .integer(let integer): write(integer)
        case .number(let number): write(number)
        case .text(let text): write(text)
        }
    }

    /// A field with a value; nothing where there is none.
    public mutating func field(_ name: String, _ value: Value?) {
        field(name, value) { $0.write($1) }
    }

    /// A field with values by name, in the order of the names.
    public mutating func field(_ name: String, _ values: [String: Value]) {
        field(name, values.isEmpty ? nil : values) { writer, values in
            writer.writeMap(values.count)
            for (name, value) in values.sorted(by: { $0.key < $1.key }) {
                writer.write(name)
                writer.write(value)
            }
        }
    }

    /// A field with a time stamp's parts: `at`, `wall` and `synced`.
    mutating func timeFields(_ time: Timestamp) {
        field("at", time.monotonic.nanoseconds)
        field("wall", time.wall.nanoseconds)
        field("synced", time.isSynchronised)
    }
}

extension MessagePackReader {
    /// A value of a property or a parameter.
    public mutating func readValue() throws(WireError) -> Value {
        switch try peek() {
        case 0xC2, 0xC3: .boolean(try readBool())
        case 0xCA, 0xCB: .number(try readDouble())
        case 0xA0...0xBF, 0xD9...0xDB: .text(try readString())
        default: .integer(try readInt64())
        }
    }

    /// Values by name.
    public mutating func readValues() throws(WireError) -> [String: Value] {
        var values: [String: Value] = [:]
        try readMap { (name, reader) throws(WireError) in values[name] = try reader.readValue() }
        return values
    }

    mutating func readDeviceID() throws(WireError) -> DeviceID {
        try readText("device") { DeviceID(rawValue: $0) }
    }

    mutating func readComponentID() throws(WireError) -> ComponentID {
        try readText("component") { ComponentID(rawValue: $0) }
    }

    mutating func readWallTime() throws(WireError) -> WallTime {
        WallTime(nanoseconds: try readInt64())
    }

    /// A text that is one of a few words.
    mutating func readChoice<Choice: RawRepresentable<String>>(
        _ type: Choice.Type, _ name: String
    ) throws(WireError) -> Choice {
        try readText(name) { Choice(rawValue: $0) }
    }
}
