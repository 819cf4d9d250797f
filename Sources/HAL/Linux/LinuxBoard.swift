import CGPIO
public import DeviceModel
import Dispatch
public import HAL
import Synchronization

/// The machine on which this program runs: GPIO character devices through libgpiod, I²C through i2c-dev.
public final class LinuxBoard: Board {
    /// What the machine calls itself.
    public let name: String
    /// What the machine says of itself.
    public let host: any Host

    private let time: any TimeSource
    /// The one reader of all edges.
    private let edgeQueue = DispatchQueue(label: "m2m.gpio.edges")
    /// One thread for each bus, made when it is first asked for: the kernel serves a bus one transfer at a time.
    private let executors = Mutex<[Int: BlockingExecutor]>([:])

    /// The machine's own board.
    ///
    /// - Parameters:
    ///   - stateDirectory: Where the agent keeps its state; its disk is the one whose use is told.
    ///   - time: The clock.
    public init(stateDirectory: String, time: any TimeSource) {
        self.time = time
        host = LinuxHost(stateDirectory: stateDirectory)
        name = LinuxHost.boardName
    }

    /// Finds a line.
    public func locate(_ line: LineReference) throws(HALError) -> LineID {
        try GPIOChips.directory().0.locate(line)
    }

    /// Takes a line for reading.
    public func requestInput(
        _ line: LineReference, _ settings: InputSettings, consumer: String
    ) throws(HALError) -> any InputLine {
        let debouncesInKernel = cgpio_has_kernel_debounce()
        var request = cgpio_settings()
        request.direction = CGPIO_DIRECTION_INPUT
        request.bias = settings.bias.cgpio
        request.is_active_low = settings.isActiveLow
        request.with_edges = true
        let microseconds = settings.debounce.nanoseconds / 1_000
        request.debounce_us = debouncesInKernel ? UInt32(clamping: microseconds) : 0
        let handle = try LineHandle.request(line, request, consumer: consumer)
        return try LinuxInputLine(
            handle, debounce: debouncesInKernel ? .zero : settings.debounce, queue: edgeQueue, time: time)
    }

    /// Takes a line for driving.
    public func requestOutput(
        _ line: LineReference, _ settings: OutputSettings, consumer: String
    ) throws(HALError) -> any OutputLine {
        var output = cgpio_settings()
        output.direction = CGPIO_DIRECTION_OUTPUT
        output.bias = settings.bias.cgpio
        output.is_active_low = settings.isActiveLow
        switch settings.initial {
        case .value(let value):
            output.value = value.cgpio
            return LinuxOutputLine(try LineHandle.request(line, output, consumer: consumer), output, isDriven: true)
        case .asIs:
            var asIs = cgpio_settings()
            asIs.is_active_low = settings.isActiveLow
            let handle = try LineHandle.request(line, asIs, consumer: consumer)
            return LinuxOutputLine(handle, output, isDriven: false)
        }
    }

    /// The bus of a number.
    public func bus(_ number: Int) throws(HALError) -> any I2CBus {
        let executor = executors.withLock { executors in
            let executor = executors[number] ?? BlockingExecutor(label: "m2m.i2c.\(number)")
            executors[number] = executor
            return executor
        }
        return try LinuxBus(number, on: executor)
    }

    /// Looks at everything.
    public func inventory() async -> BoardInventory {
        var inventory = BoardInventory(board: name)
        do throws(HALError) {
            inventory.chips = try GPIOChips.inventory()
        } catch {
            inventory.problems.append(error.description)
        }
        for number in LinuxBus.numbers {
            do {
                guard let bus = try bus(number) as? LinuxBus else { continue }
                inventory.buses.append(try await bus.inventory())
            } catch {
                inventory.problems.append(error.explanation)
            }
        }
        return inventory
    }
}

extension LineBias {
    fileprivate var cgpio: cgpio_bias {
        switch self {
        case .asIs: CGPIO_BIAS_AS_IS
        case .disabled: CGPIO_BIAS_DISABLED
        case .pullUp: CGPIO_BIAS_PULL_UP
        case .pullDown: CGPIO_BIAS_PULL_DOWN
        }
    }
}

extension LineValue {
    var cgpio: Int32 { self == .active ? 1 : 0 }

    init(cgpio value: Int32) {
        self = value == 0 ? .inactive : .active
    }
}
