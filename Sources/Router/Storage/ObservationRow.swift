import DeviceModel
import FoundationEssentials
import GRDB

/// An observation as a row of the router's database.
enum ObservationRow {
    /// What kind of observation a row is.
    enum Kind: Int64 {
        case reading = 0
        case event = 1
        case result = 2
    }

    static let insert = """
        INSERT INTO observations (device, stream, epoch, sequence, boot, at, wall, synced, kind, component, name, type,
            value, quality, reason, command, status, dated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO NOTHING
        """

    /// Selects observations, for ``dated(_:)``, with what is known of the clock in each one's boot.
    static let selectDated = """
        SELECT o.*, o.synced OR (c.offset IS NOT NULL AND o.id <= ifnull(c.undated, o.id)) AS isDated
        FROM observations o LEFT JOIN clocks c ON c.device = o.device AND c.boot = o.boot
        """

    /// - Parameters:
    ///   - record: The observation, as the device said it.
    ///   - device: The device's row.
    ///   - dated: When it was, as far as that is known.
    /// - Returns: What ``insert`` takes.
    static func arguments(
        _ record: RecordedObservation, device: Int64, dated: WallTime
    ) -> StatementArguments {
        said(record, device: device) + [dated.nanoseconds]
    }

    private static func said(_ record: RecordedObservation, device: Int64) -> StatementArguments {
        let (position, time) = (record.position, record.observation.time)
        // What is bound is what ``RecordedObservation/storable`` gives: no text has a zero byte.
        let head: StatementArguments = [
            device, position.stream.rawValue, Int64(bitPattern: position.epoch), Int64(bitPattern: position.sequence),
            time.boot.bytes.data, time.monotonic.nanoseconds, time.wall.nanoseconds, time.isSynchronised,
        ]
        switch record.observation.content {
        case .reading(let reading):
            return head + [
                Kind.reading.rawValue, reading.component.rawValue, reading.property, reading.value?.type.rawValue,
                reading.value?.databaseValue, reading.quality.rawValue, reading.reason, nil, nil,
            ]
        case .event(let event):
            return head + [
                Kind.event.rawValue, event.component.rawValue, event.name, nil, nil, nil, event.detail, nil, nil,
            ]
        case .result(let result):
            return head + [
                // A result has no value: in its place is who gave the command.
                Kind.result.rawValue, result.component.rawValue, result.action, nil, result.author, nil,
                result.reason, result.id.rawValue, result.status.rawValue,
            ]
        }
    }

    /// The observation with the time that is known of it by now; nil for a row that only a later version understands.
    static func dated(_ row: Row) -> RecordedObservation? {
        guard var record = record(row) else { return nil }
        record.observation.time.wall = WallTime(nanoseconds: row["dated"])
        record.observation.time.isSynchronised = row["isDated"]
        return record
    }

    /// The observation as the device said it; nil for a row that only a later version understands.
    static func record(_ row: Row) -> RecordedObservation? {
        guard let stream = StreamName(rawValue: row["stream"]), let boot = BootID(bytes: row.bytes("boot")),
            let content = content(row)
        else { return nil }
        let time = Timestamp(
            boot: boot, monotonic: MonotonicTime(nanoseconds: row["at"]), wall: WallTime(nanoseconds: row["wall"]),
            isSynchronised: row["synced"])
        let position = StreamPosition(
            stream: stream, epoch: row.unsigned("epoch"), sequence: row.unsigned("sequence"))
        return RecordedObservation(position: position, observation: Observation(time: time, content: content))
    }

    private static func content(_ row: Row) -> Observation.Content? {
        guard let kind = Kind(rawValue: row["kind"]), let component = ComponentID(rawValue: row["component"]) else {
            return nil
        }
        switch kind {
        case .reading:
            guard let quality = Quality(rawValue: row["quality"]) else { return nil }
            return .reading(
                Reading(
                    component: component, property: row["name"], value: value(row), quality: quality,
                    reason: row["reason"]))
        case .event: return .event(Event(component: component, name: row["name"], detail: row["reason"]))
        case .result:
            guard let id = CommandID(rawValue: row["command"]), let status = CommandStatus(rawValue: row["status"])
            else { return nil }
            return .result(
                CommandResult(
                    id: id, component: component, action: row["name"], status: status, reason: row["reason"],
                    author: row["value"]))
        }
    }

    private static func value(_ row: Row) -> Value? {
        guard let type = (row["type"] as String?).flatMap(ValueType.init(rawValue:)) else { return nil }
        return switch type {
        case .boolean: .boolean(row["value"])
        case .integer: .integer(row["value"])
        case .number: .number(row["value"])
        case .text: .text(row["value"])
        }
    }
}

extension RecordedObservation {
    /// The same, as it comes back from the database.
    var storable: RecordedObservation {
        var record = self
        switch observation.content {
        case .reading(var reading):
            reading.property = reading.property.withoutZeroBytes
            reading.reason = reading.reason?.withoutZeroBytes
            if case .text(let text)? = reading.value { reading.value = .text(text.withoutZeroBytes) }
            record.observation.content = .reading(reading)
        case .result(var result):
            result.action = result.action.withoutZeroBytes
            result.reason = result.reason?.withoutZeroBytes
            result.author = result.author?.withoutZeroBytes
            record.observation.content = .result(result)
        case .event(var event):
            event.name = event.name.withoutZeroBytes
            event.detail = event.detail?.withoutZeroBytes
            record.observation.content = .event(event)
        }
        return record
    }

    /// Whether it has a number that is none, which the database would take for nothing.
    var isStorable: Bool {
        guard case .reading(let reading) = observation.content else { return true }
        return reading.value?.numeric?.isFinite ?? true
    }
}

extension String {
    /// A text ends at a zero byte for SQLite's functions (sqlite.org/nulinstr.html): the sign for what can't be shown
    /// takes its place.
    var withoutZeroBytes: String {
        contains("\0") ? String(map { $0 == "\0" ? "\u{FFFD}" : $0 }) : self
    }
}

extension Value {
    fileprivate var databaseValue: DatabaseValue {
        switch self {
        case .boolean(let boolean): boolean.databaseValue
        case .integer(let integer): integer.databaseValue
        case .number(let number): number.databaseValue
        case .text(let text): text.databaseValue
        }
    }
}
