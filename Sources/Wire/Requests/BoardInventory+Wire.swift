import DeviceModel

extension BoardInventory {
    func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("board", board)
            map.field("chips", chips) { writer, chip in
                writer.writeMap { map in
                    map.field("name", chip.name)
                    map.field("label", chip.label)
                    map.field("lines", chip.lines) { writer, line in
                        writer.writeMap { map in
                            map.field("offset", line.offset)
                            map.field("name", line.name)
                            map.field("direction", line.direction)
                            map.field("consumer", line.consumer)
                            map.field("active", line.isActive)
                        }
                    }
                }
            }
            map.field("buses", buses) { writer, bus in
                writer.writeMap { map in
                    map.field("bus", bus.number)
                    map.field("name", bus.name)
                    map.field("targets", bus.targets) { writer, target in
                        writer.writeMap { map in
                            map.field("address", target.address)
                            map.field("driver", target.isHeldByDriver)
                        }
                    }
                }
            }
            map.field("problems", problems) { $0.write($1) }
        }
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        self.init(board: "")
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "board": board = try reader.readString()
            case "chips": chips = try reader.readArray { (reader) throws(WireError) in try Chip(from: &reader) }
            case "buses": buses = try reader.readArray { (reader) throws(WireError) in try Bus(from: &reader) }
            case "problems": problems = try reader.readArray { (reader) throws(WireError) in try reader.readString() }
            default: try reader.skip()
            }
        }
    }
}

extension BoardInventory.Chip {
    fileprivate init(from reader: inout MessagePackReader) throws(WireError) {
        self.init(name: "", label: "", lines: [])
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "name": name = try reader.readString()
            case "label": label = try reader.readString()
            case "lines":
                lines = try reader.readArray { (reader) throws(WireError) in
                    try BoardInventory.Line(from: &reader)
                }
            default: try reader.skip()
            }
        }
    }
}

extension BoardInventory.Line {
    fileprivate init(from reader: inout MessagePackReader) throws(WireError) {
        self.init(offset: 0, name: "", direction: "", consumer: nil)
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "offset": offset = try reader.readInt()
            case "name": name = try reader.readString()
            case "direction": direction = try reader.readString()
            case "consumer": consumer = try reader.readString()
            case "active": isActive = try reader.readBool()
            default: try reader.skip()
            }
        }
    }
}

extension BoardInventory.Bus {
    fileprivate init(from reader: inout MessagePackReader) throws(WireError) {
        self.init(number: 0, name: "", targets: [])
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "bus": number = try reader.readInt()
            case "name": name = try reader.readString()
            case "targets":
                targets = try reader.readArray { (reader) throws(WireError) in
                    try BoardInventory.Target(from: &reader)
                }
            default: try reader.skip()
            }
        }
    }
}

extension BoardInventory.Target {
    fileprivate init(from reader: inout MessagePackReader) throws(WireError) {
        self.init(address: 0, isHeldByDriver: false)
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "address": address = try reader.readInt()
            case "driver": isHeldByDriver = try reader.readBool()
            default: try reader.skip()
            }
        }
    }
}
