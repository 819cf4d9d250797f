import DeviceModel
import HAL

/// The lines of a simulated board and the wires between them: levels, directions, who holds what.
///
/// A plain value.
struct SimulatedLines {
    typealias Place = LineDirectory.Place

    /// One line.
    struct Line {
        var consumer: String?
        var isActiveLow = false
        var bias = LineBias.asIs
        /// Whether this board drives it.
        var isDriven = false
        var drivenLevel = false
        /// What the world drives it to; nil: nothing.
        var outside: Bool?
        var listener: Listener?
        var switches = 0
    }

    /// Who wants to know of a line's edges.
    struct Listener {
        let edges: Mailbox<LineEvent>
        var debouncer: Debouncer
        /// The value that the debouncer was told last.
        var seen: LineValue

        init(edges: Mailbox<LineEvent>, debounce: Duration, value: LineValue) {
            self.edges = edges
            debouncer = Debouncer(period: debounce, value: value)
            seen = value
        }
    }

    let directory: LineDirectory
    private var lines: [[Line]]
    /// Lines that are connected have the same net.
    private var nets: [[Int]]
    private var unplugged: Set<String> = []

    init(_ directory: LineDirectory) {
        self.directory = directory
        lines = directory.chips.map { Array(repeating: Line(), count: $0.lineNames.count) }
        var next = 0
        nets = directory.chips.map { chip in
            defer { next += chip.lineNames.count }
            return Array(next..<next + chip.lineNames.count)
        }
    }

    subscript(_ place: Place) -> Line {
        get { lines[place.chip][place.offset] }
        set { lines[place.chip][place.offset] = newValue }
    }

    func id(_ place: Place, as reference: LineReference) -> LineID {
        LineID(chip: directory.chips[place.chip].label, offset: place.offset, name: reference.description)
    }

    /// Takes a line for a consumer.
    mutating func take(_ reference: LineReference, consumer: String) throws(HALError) -> Place {
        let place = try directory.find(reference)
        try checkPlugged(place)
        if let holder = self[place].consumer {
            throw HALError(.busy, "line \(reference)", advice: "it is held by \"\(holder)\"")
        }
        self[place].consumer = consumer
        return place
    }

    /// Gives a line back: it falls to what its resistor says.
    mutating func release(_ place: Place) {
        self[place].listener?.edges.finish()
        let outside = self[place].outside
        let switches = self[place].switches
        self[place] = Line(outside: outside, switches: switches)
    }

    func checkPlugged(_ place: Place) throws(HALError) {
        let label = directory.chips[place.chip].label
        guard !unplugged.contains(label) else { throw HALError(.absent, "GPIO chip \(label)", errno: 19) }
    }

    // MARK: Levels

    /// The voltage on a line: what a board or the world drives, else what a resistor says.
    func level(_ place: Place) -> Bool {
        let net = places.filter { nets[$0.chip][$0.offset] == nets[place.chip][place.offset] }
        if let driver = net.first(where: { self[$0].isDriven }) { return self[driver].drivenLevel }
        if let outside = net.compactMap({ self[$0].outside }).first { return outside }
        return net.contains { self[$0].bias == .pullUp }
    }

    func value(_ place: Place) -> LineValue {
        level(place) != self[place].isActiveLow ? .active : .inactive
    }

    mutating func drive(_ place: Place, _ value: LineValue) {
        let before = level(place)
        self[place].isDriven = true
        self[place].drivenLevel = (value == .active) != self[place].isActiveLow
        if level(place) != before { self[place].switches += 1 }
    }

    mutating func wire(_ one: Place, _ other: Place) {
        let (kept, gone) = (nets[one.chip][one.offset], nets[other.chip][other.offset])
        nets = nets.map { $0.map { $0 == gone ? kept : $0 } }
    }

    mutating func unplug(_ label: String) {
        unplugged.insert(label)
        let error = HALError(.absent, "GPIO chip \(label)", errno: 19)  // ENODEV
        for place in places where directory.chips[place.chip].label == label {
            self[place].listener?.edges.send(.failed(error))
        }
    }

    // MARK: Edges

    /// When a debounce period ends next.
    var deadline: MonotonicTime? {
        places.compactMap { self[$0].listener?.debouncer.deadline }.min()
    }

    /// Reports the edges that have come about.
    mutating func settle(at now: MonotonicTime) {
        for place in places {
            guard var listener = self[place].listener else { continue }
            let value = value(place)
            var edges = listener.debouncer.tick(at: now)
            if value != listener.seen { edges += listener.debouncer.edge(value, at: now) }
            listener.seen = value
            for edge in edges { listener.edges.send(.edge(edge.value, at: edge.time)) }
            self[place].listener = listener
        }
    }

    private var places: [Place] {
        directory.chips.indices.flatMap { chip in
            directory.chips[chip].lineNames.indices.map { Place(chip: chip, offset: $0) }
        }
    }

    var inventory: [BoardInventory.Chip] {
        directory.chips.indices.map { chip in
            let names = directory.chips[chip].lineNames
            let lines = names.indices.map { offset in
                let line = self.lines[chip][offset]
                return BoardInventory.Line(
                    offset: offset, name: names[offset], direction: line.isDriven ? "output" : "input",
                    consumer: line.consumer, isActive: value(Place(chip: chip, offset: offset)) == .active)
            }
            return BoardInventory.Chip(
                name: directory.chips[chip].name, label: directory.chips[chip].label, lines: lines)
        }
    }
}
