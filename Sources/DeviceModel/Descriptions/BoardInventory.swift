/// Everything that can be seen of a board: what `m2m probe` shows.
public struct BoardInventory: Hashable, Sendable {
    /// What people call the board.
    public var board: String
    /// Its GPIO chips.
    public var chips: [Chip]
    /// Its I²C buses.
    public var buses: [Bus]
    /// What could not be looked at, and why.
    public var problems: [String]

    /// An inventory of a board.
    public init(board: String, chips: [Chip] = [], buses: [Bus] = [], problems: [String] = []) {
        self.board = board
        self.chips = chips
        self.buses = buses
        self.problems = problems
    }

    /// A GPIO chip.
    public struct Chip: Hashable, Sendable {
        /// Its name, such as `gpiochip0`; it may differ from boot to boot.
        public var name: String
        /// Its label, such as `pinctrl-bcm2711`.
        public var label: String
        /// Its lines, by offset.
        public var lines: [Line]

        /// A chip with its lines.
        public init(name: String, label: String, lines: [Line]) {
            self.name = name
            self.label = label
            self.lines = lines
        }
    }

    /// A line of a chip.
    public struct Line: Hashable, Sendable {
        /// Its number on the chip.
        public var offset: Int
        /// Its name; empty where it has none.
        public var name: String
        /// `input` or `output`.
        public var direction: String
        /// Who holds it; nil: nobody.
        public var consumer: String?

        /// Whether it is active, for its holder; nil where one would have to take the line to know.
        public var isActive: Bool?

        /// A line of a chip.
        public init(offset: Int, name: String, direction: String, consumer: String?, isActive: Bool? = nil) {
            self.offset = offset
            self.name = name
            self.direction = direction
            self.consumer = consumer
            self.isActive = isActive
        }
    }

    /// An I²C bus.
    public struct Bus: Hashable, Sendable {
        /// Its number: 1 for `/dev/i2c-1`.
        public var number: Int
        /// What the kernel calls its adapter.
        public var name: String
        /// The addresses at which something answers.
        public var targets: [Target]

        /// A bus with what answers there.
        public init(number: Int, name: String, targets: [Target]) {
            self.number = number
            self.name = name
            self.targets = targets
        }
    }

    /// Something that answers on a bus.
    public struct Target: Hashable, Sendable {
        /// Its address.
        public var address: Int
        /// Whether a kernel driver holds it.
        public var isHeldByDriver: Bool

        /// Something at an address.
        public init(address: Int, isHeldByDriver: Bool) {
            self.address = address
            self.isHeldByDriver = isHeldByDriver
        }
    }
}
