public import DeviceModel
public import HAL
import Synchronization

/// A board that writes down what is said on the I²C buses of another one.
public final class RecordingBoard: Board {
    private let board: any Board
    private let recorded = Mutex(I2CRecording())

    /// - Parameter board: The board that is listened to.
    public init(_ board: any Board) {
        self.board = board
    }

    /// What was said so far.
    public var recording: I2CRecording { recorded.withLock(\.self) }

    /// The board's own name.
    public var name: String { board.name }
    /// The board's own host.
    public var host: any Host { board.host }

    /// A line of the board.
    public func locate(_ line: LineReference) throws(HALError) -> LineID { try board.locate(line) }

    /// A line of the board.
    public func requestInput(
        _ line: LineReference, _ settings: InputSettings, consumer: String
    ) throws(HALError) -> any InputLine {
        try board.requestInput(line, settings, consumer: consumer)
    }

    /// A line of the board.
    public func requestOutput(
        _ line: LineReference, _ settings: OutputSettings, consumer: String
    ) throws(HALError) -> any OutputLine {
        try board.requestOutput(line, settings, consumer: consumer)
    }

    /// A bus of the board, listened to.
    public func bus(_ number: Int) throws(HALError) -> any I2CBus {
        RecordingBus(bus: try board.bus(number)) { [self] transfer in
            recorded.withLock { $0.transfers.append(transfer) }
        }
    }

    /// What is on the board.
    public func inventory() async -> BoardInventory { await board.inventory() }
}

/// A bus that tells of its transfers.
private struct RecordingBus: I2CBus {
    let bus: any I2CBus
    let record: @Sendable (I2CRecording.Transfer) -> Void

    var number: Int { bus.number }

    func transfer(_ address: I2CAddress, write: [UInt8], readCount: Int) async throws(HALError) -> [UInt8] {
        do throws(HALError) {
            let read = try await bus.transfer(address, write: write, readCount: readCount)
            record(I2CRecording.Transfer(address: address, write: write, read: read))
            return read
        } catch {
            record(I2CRecording.Transfer(address: address, write: write, read: nil))
            throw error
        }
    }
}

/// A board whose I²C bus says what a recording says, and has nothing else.
public final class PlaybackBoard: Board {
    private let bus: PlaybackBus

    /// - Parameter recording: What is said, in order. A driver that says something else gets an error.
    public init(_ recording: I2CRecording) {
        bus = PlaybackBus(recording)
    }

    /// How many transfers of the recording have not been played yet.
    public var remaining: Int { bus.remaining }
    /// Where the driver said something that is not in the recording; nil: nowhere.
    public var mismatch: String? { bus.mismatch }

    /// What it is called.
    public let name = "playback"
    /// A machine that tells nothing.
    public var host: any Host { SilentHost() }

    /// There are no lines.
    public func locate(_ line: LineReference) throws(HALError) -> LineID {
        throw HALError(.absent, "line \(line)")
    }

    /// There are no lines.
    public func requestInput(
        _ line: LineReference, _ settings: InputSettings, consumer: String
    ) throws(HALError) -> any InputLine {
        throw HALError(.absent, "line \(line)")
    }

    /// There are no lines.
    public func requestOutput(
        _ line: LineReference, _ settings: OutputSettings, consumer: String
    ) throws(HALError) -> any OutputLine {
        throw HALError(.absent, "line \(line)")
    }

    /// The bus, whatever its number.
    public func bus(_ number: Int) throws(HALError) -> any I2CBus { bus }

    /// Nothing.
    public func inventory() async -> BoardInventory { BoardInventory(board: name) }
}

private struct SilentHost: Host {
    func read() -> HostReadings { HostReadings() }
}

private final class PlaybackBus: I2CBus {
    let number = 1
    private let state: Mutex<(rest: [I2CRecording.Transfer], mismatch: String?)>

    init(_ recording: I2CRecording) {
        state = Mutex((recording.transfers, nil))
    }

    var remaining: Int { state.withLock { $0.rest.count } }
    var mismatch: String? { state.withLock { $0.mismatch } }

    func transfer(_ address: I2CAddress, write: [UInt8], readCount: Int) async throws(HALError) -> [UInt8] {
        let resource = "\(address) in the recording"
        return try state.withLock { (state) throws(HALError) in
            let asked = I2CRecording.Transfer(address: address, write: write, read: nil)
            guard let next = state.rest.first, next.address == address, next.write == write,
                next.read == nil || next.read?.count == readCount
            else {
                state.mismatch =
                    state.mismatch
                    ?? "the driver said \(asked), where \(String(describing: state.rest.first)) was recorded"
                throw HALError(.failed, resource, advice: "the recording goes on differently")
            }
            state.rest.removeFirst()
            guard let read = next.read else { throw HALError(.noAcknowledge, resource) }
            return read
        }
    }
}
