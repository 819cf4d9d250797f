import DeviceModel
import Foundation
import GRDB
import TestSupport

/// What became of every observation, from the databases of both sides: neither program is asked.
struct ChaosBooks {
    /// A line of the table.
    struct Row {
        let name: String
        /// How often the fault was there.
        var times = 0
        /// Numbers that the device has given while it was.
        var committed = 0
        /// Those that the router has.
        var arrived = 0
        /// Those whose content is at the router under another number as well.
        var twice = 0
        /// Those that the router neither has nor knows to be missing.
        var missing = 0
        /// Those that the router knows to be missing, or that stand for what nobody knows.
        var explained = 0
    }

    /// For each fault, and for what is not told apart by faults.
    private(set) var rows: [Row] = []
    /// How many gaps have no count.
    private(set) var unknown = 0
    /// What is still at the device.
    private(set) var waiting = 0
    /// How many lines of the watch on the device were compared.
    private(set) var witnessed = 0
    /// Those that the router does not know just so.
    private(set) var strangers: [JSON] = []

    /// All of them together.
    var total: Row {
        rows.reduce(into: Row(name: "all")) { total, row in
            total.times += row.times
            total.committed += row.committed
            total.arrived += row.arrived
            total.twice += row.twice
            total.missing += row.missing
            total.explained += row.explained
        }
    }

    /// - Parameters:
    ///   - router: The router's database.
    ///   - device: The device's.
    ///   - rounds: Which faults there were.
    ///   - witness: What was seen on the device.
    /// - Throws: What the databases throw.
    init(router: String, device: String, rounds: [Chaos.Round], witness: [JSON]) throws {
        let device = try DatabaseQueue(path: device)
        let given = try device.read { db in
            try GRDB.Row.fetchAll(db, sql: "SELECT name, epoch, next - 1 AS last FROM streams")
        }
        waiting = try device.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM observations") ?? 0 }
        let router = try DatabaseQueue(path: router)
        unknown = try router.read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM gaps WHERE count IS NULL") ?? 0
        }
        rows = Chaos.Fault.possible.map { fault in
            Row(name: fault.rawValue, times: rounds.count { $0.fault == fault })
        }
        let epochs = try router.read { db in try GRDB.Row.fetchAll(db, sql: "SELECT stream, epoch FROM streams") }
        for epoch in epochs {
            let (stream, number) = (epoch["stream"] as String, epoch["epoch"] as Int64)
            let last: Int? = given.first { $0["name"] == stream && $0["epoch"] == number }?["last"]
            let book = try router.read { db in try EpochBook(db, stream, number, last: last) }
            if stream == "telemetry", last != nil {
                enter(book, rounds)
            } else {
                rows.append(book.row(last == nil ? "\(stream), epoch before" : stream, 1...max(1, book.last)))
            }
        }
        try compare(witness, router)
    }

    /// Enters each number with the fault that was there when it was given.
    private mutating func enter(_ book: EpochBook, _ rounds: [Chaos.Round]) {
        rows.insert(book.row("before the first", 1...max(1, (rounds.first?.start ?? book.last + 1) - 1)), at: 0)
        for (index, round) in rounds.enumerated() {
            let end = index + 1 < rounds.count ? rounds[index + 1].start - 1 : book.last
            guard round.start <= end else { continue }
            let part = book.row(round.fault.rawValue, round.start...end)
            guard let place = rows.firstIndex(where: { $0.name == part.name }) else { continue }
            rows[place].committed += part.committed
            rows[place].arrived += part.arrived
            rows[place].twice += part.twice
            rows[place].missing += part.missing
            rows[place].explained += part.explained
        }
    }

    /// Compares what was seen on the device with what the router has under the same number.
    private mutating func compare(_ witness: [JSON], _ router: DatabaseQueue) throws {
        let readings = witness.filter { $0["sequence"] != .null }
        witnessed = readings.count
        strangers = try router.read { db in
            try readings.filter { line in
                let epoch = UInt64(try line["epoch"].text, radix: 16) ?? 0
                let row = try GRDB.Row.fetchOne(
                    db,
                    sql: """
                        SELECT component, name, wall FROM observations
                        WHERE device = (SELECT min(id) FROM devices)
                            AND stream = 'telemetry' AND epoch = ? AND sequence = ?
                        """, arguments: [Int64(bitPattern: epoch), Int64(try line["sequence"].number)])
                guard let row else { return true }
                return line["component"] != .text(row["component"]) || line["property"] != .text(row["name"])
                    || line["time"] != .text(WallTime(nanoseconds: row["wall"]).rfc3339)
            }
        }
    }

    /// For people.
    var table: String {
        let head = ["fault", "times", "committed", "arrived", "twice", "missing", "explained"]
        let lines = (rows + [total]).map { row in
            [row.name] + [row.times, row.committed, row.arrived, row.twice, row.missing, row.explained].map { "\($0)" }
        }
        let text = ([head] + lines).map { cells in
            cells.enumerated().map { index, cell in
                let space = String(repeating: " ", count: max(0, (index == 0 ? 22 : 10) - cell.count))
                return index == 0 ? cell + space : space + cell
            }.joined()
        }
        let word = """
            Explained: named by a gap. \(unknown) of them stand for what nobody can know, each for one stop without an end.
            \(witnessed) readings that were watched on the device were compared with the router's: \
            \(strangers.count) were otherwise.
            """
        return text.joined(separator: "\n") + "\n" + word
    }
}

/// What the router knows of one epoch.
private struct EpochBook {
    /// The last number that was given.
    let last: Int
    private var arrived: [Int]
    private var twice: Set<Int>
    private var explained: SequenceRanges

    /// - Parameters:
    ///   - db: The router's database.
    ///   - stream: The stream.
    ///   - epoch: The epoch.
    ///   - given: The last number that the device has given; nil: it gives none in this epoch any more.
    /// - Throws: What the database throws.
    init(_ db: Database, _ stream: String, _ epoch: Int64, last given: Int?) throws {
        let place: StatementArguments = [stream, epoch]
        arrived = try Int.fetchAll(
            db, sql: "SELECT sequence FROM observations WHERE stream = ? AND epoch = ? ORDER BY sequence",
            arguments: place)
        // The device's own clock does not stand still between two readings of a property.
        twice = Set(
            try Int.fetchAll(
                db,
                sql: """
                    SELECT sequence FROM (
                        SELECT stream, epoch, sequence, count(*) OVER (PARTITION BY boot, at, component, name) AS times
                        FROM observations)
                    WHERE times > 1 AND stream = ? AND epoch = ?
                    """, arguments: place))
        let gaps = try Row.fetchAll(
            db, sql: "SELECT first, last FROM gaps WHERE stream = ? AND epoch = ?", arguments: place)
        explained = SequenceRanges(gaps.map { UInt64($0["first"] as Int64)...UInt64($0["last"] as Int64) })
        last = given ?? max(arrived.last ?? 0, Int(explained.last))
    }

    /// Where the first number is that is not smaller.
    private func index(of number: Int) -> Int {
        var (low, high) = (0, arrived.count)
        while low < high {
            let middle = (low + high) / 2
            if arrived[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// What became of some numbers.
    func row(_ name: String, _ numbers: ClosedRange<Int>) -> ChaosBooks.Row {
        var row = ChaosBooks.Row(name: name)
        let whole = UInt64(numbers.lowerBound)...UInt64(numbers.upperBound)
        let here = arrived[index(of: numbers.lowerBound)..<index(of: numbers.upperBound + 1)]
        let named = explained.intersection(SequenceRanges([whole]))
        row.committed = numbers.count
        row.arrived = here.count
        row.twice = here.count(where: twice.contains)
        row.explained = Int(named.count)
        var known = named
        for number in here { known.insert(UInt64(number)...UInt64(number)) }
        row.missing = Int(SequenceRanges([whole]).subtracting(known).count)
        return row
    }
}
