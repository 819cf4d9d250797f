import CKeeper
import DeviceManager
import DeviceModel
import Glibc
import HAL

/// An order to the keeper, as C has it.
struct KeeperOrder: Sendable {
    var type: keeper_type
    var output: ComponentID?
    var value: LineValue = .inactive
    var deadline: MonotonicTime?
    var notAfter: MonotonicTime?

    init(_ type: keeper_type, _ output: ComponentID? = nil) {
        self.type = type
        self.output = output
    }

    /// The bytes on the socket.
    func bytes(sequence: UInt32) -> [UInt8] {
        var order = keeper_order()
        order.version = UInt16(KEEPER_PROTOCOL_VERSION)
        order.type = UInt16(type.rawValue)
        order.sequence = sequence
        if let output {
            withUnsafeMutableBytes(of: &order.output) { room in
                room.copyBytes(from: output.rawValue.utf8.prefix(room.count - 1))
            }
        }
        order.value = value == .active ? 1 : 0
        order.deadline_ns = deadline?.nanoseconds ?? 0
        order.not_after_ns = notAfter?.nanoseconds ?? 0
        return withUnsafeBytes(of: order) { Array($0) }
    }
}

/// What the keeper says.
struct KeeperReport: Sendable {
    let isNews: Bool
    let sequence: UInt32
    /// 0, or what went wrong.
    let errno: Int32
    let table: UInt64
    let output: ComponentID?
    let isHeld: Bool
    let value: LineValue
    /// Why it made the output what it is by itself; nil: it did not.
    let reason: KeeperReason?
    /// Whether its line could not be driven, so that nobody knows what it is.
    let hasFailed: Bool
    /// When it is made safe, whatever becomes of the agent; nil: never.
    let deadline: MonotonicTime?
    let text: String

    /// Reads what came.
    ///
    /// - Throws: ``HALError`` when it is no report, or one of another version.
    init(_ bytes: UnsafeRawBufferPointer) throws(HALError) {
        // Every version begins with its number.
        let version = bytes.count >= 2 ? bytes.loadUnaligned(as: UInt16.self) : 0
        guard bytes.count == MemoryLayout<keeper_report>.size, version == UInt16(KEEPER_PROTOCOL_VERSION) else {
            throw HALError(
                .unsupported, "the keeper",
                advice: "it does not speak version \(KEEPER_PROTOCOL_VERSION): have agent and keeper of one release")
        }
        let report = bytes.loadUnaligned(as: keeper_report.self)
        isNews = report.type == UInt16(KEEPER_NEWS.rawValue)
        sequence = report.sequence
        errno = report.status == .min ? .max : -report.status
        table = report.table
        output = ComponentID(rawValue: Self.text(of: report.output))
        isHeld = report.is_held != 0
        value = report.value != 0 ? .active : .inactive
        deadline = report.deadline_ns == 0 ? nil : MonotonicTime(nanoseconds: report.deadline_ns)
        text = Self.text(of: report.text)
        hasFailed = report.cause == KEEPER_CAUSE_LINE_FAILED.rawValue
        reason =
            switch keeper_cause(report.cause) {
            case KEEPER_CAUSE_START: .start
            case KEEPER_CAUSE_DEADLINE: .deadline
            case KEEPER_CAUSE_AGENT_LOST: .agentLost
            case KEEPER_CAUSE_AGENT_SILENT: .agentSilent
            default: nil
            }
    }

    private static func text<Characters>(of characters: Characters) -> String {
        withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
