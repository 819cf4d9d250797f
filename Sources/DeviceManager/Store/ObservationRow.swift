import DeviceModel

/// An observation as a row of the database.
struct ObservationRow {
    /// What kind of observation a row is.
    enum Kind: Int64 {
        case reading = 0
        case event = 1
        case result = 2
    }

    let row: Int64
    let record: RecordedObservation
    /// By how much the wall clock was ahead of the device's own in its boot; nil: it was never synchronised.
    let clockOffset: Duration?

    /// Whether both can go up in one batch.
    func belongs(with other: ObservationRow) -> Bool {
        record.position.epoch == other.record.position.epoch
            && record.observation.time.boot == other.record.observation.time.boot
    }

    /// The same with the time that is known by now.
    var dated: RecordedObservation {
        var record = record
        guard !record.observation.time.isSynchronised, let clockOffset else { return record }
        record.observation.time.wall =
            WallTime(nanoseconds: record.observation.time.monotonic.nanoseconds) + clockOffset
        record.observation.time.isSynchronised = true
        return record
    }

    // MARK: Writing

    static let insert = """
        INSERT INTO observations (stream, epoch, sequence, boot, at, wall, synced, kind, component, name, type, value,
            quality, reason, command, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """

    static func values(_ record: RecordedObservation, boot: Int64) -> [SQLiteValue] {
        let (position, time) = (record.position, record.observation.time)
        let head: [SQLiteValue] = [
            .text(position.stream.rawValue), .bits(position.epoch), .bits(position.sequence), .integer(boot),
            .integer(time.monotonic.nanoseconds), .integer(time.wall.nanoseconds),
            .integer(time.isSynchronised ? 1 : 0),
        ]
        switch record.observation.content {
        case .reading(let reading):
            return head + [
                .integer(Kind.reading.rawValue), .text(reading.component.rawValue), .text(reading.property),
                .optional(reading.value?.type.rawValue), reading.value.map(SQLiteValue.init) ?? .null,
                .text(reading.quality.rawValue), .optional(reading.reason), .null, .null,
            ]
        case .event(let event):
            return head + [
                .integer(Kind.event.rawValue), .text(event.component.rawValue), .text(event.name), .null, .null, .null,
                .optional(event.detail), .null, .null,
            ]
        case .result(let result):
            return head + [
                // A result has no value: in its place is who gave the command.
                .integer(Kind.result.rawValue), .text(result.component.rawValue), .text(result.action), .null,
                .optional(result.author), .null, .optional(result.reason), .text(result.id.rawValue),
                .text(result.status.rawValue),
            ]
        }
    }

    // MARK: Reading

    static let select = """
        SELECT o.id, o.stream, o.epoch, o.sequence, b.boot, o.at, o.wall, o.synced, o.kind, o.component, o.name, o.type,
            o.value, o.quality, o.reason, o.command, o.status, b.offset
        FROM observations o JOIN boots b ON b.id = o.boot
        """

    /// nil for a row that only a later version understands.
    init?(_ row: borrowing SQLite.Row) {
        guard let stream = StreamName(rawValue: row.text(1)), let boot = BootID(bytes: row.blob(4)),
            let content = Self.content(row)
        else { return nil }
        let time = Timestamp(
            boot: boot, monotonic: MonotonicTime(nanoseconds: row.integer(5)),
            wall: WallTime(nanoseconds: row.integer(6)), isSynchronised: row.integer(7) != 0)
        let position = StreamPosition(
            stream: stream, epoch: UInt64(bitPattern: row.integer(2)), sequence: UInt64(bitPattern: row.integer(3)))
        self.row = row.integer(0)
        clockOffset = row.isNull(17) ? nil : .nanoseconds(row.integer(17))
        record = RecordedObservation(position: position, observation: Observation(time: time, content: content))
    }

    private static func content(_ row: borrowing SQLite.Row) -> Observation.Content? {
        guard let kind = Kind(rawValue: row.integer(8)), let component = ComponentID(rawValue: row.text(9)) else {
            return nil
        }
        let (name, reason) = (row.text(10), row.isNull(14) ? nil : row.text(14))
        switch kind {
        case .reading:
            guard let quality = Quality(rawValue: row.text(13)) else { return nil }
            return .reading(
                Reading(component: component, property: name, value: value(row), quality: quality, reason: reason))
        case .event: return .event(Event(component: component, name: name, detail: reason))
        case .result:
            guard let id = CommandID(rawValue: row.text(15)), let status = CommandStatus(rawValue: row.text(16))
            else { return nil }
            return .result(
                CommandResult(
                    id: id, component: component, action: name, status: status, reason: reason,
                    author: row.isNull(12) ? nil : row.text(12)))
        }
    }

    private static func value(_ row: borrowing SQLite.Row) -> Value? {
        switch ValueType(rawValue: row.text(11)) {
        case .boolean: .boolean(row.integer(12) != 0)
        case .integer: .integer(row.integer(12))
        case .number: .number(row.real(12))
        case .text: .text(row.text(12))
        case nil: nil
        }
    }
}

extension SQLiteValue {
    fileprivate init(_ value: Value) {
        switch value {
        case .boolean(let boolean): self = .integer(boolean ? 1 : 0)
        case .integer(let integer): self = .integer(integer)
        case .number(let number): self = .real(number)
        case .text(let text): self = .text(text)
        }
    }
}
