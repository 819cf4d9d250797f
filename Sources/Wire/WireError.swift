public import DeviceModel

/// Why bytes are not what they should be.
///
/// Reading hostile bytes ends in this or in a value, never in a trap.
public struct WireError: ExplainedError, Hashable {
    /// What is wrong with the bytes.
    public enum Kind: Sendable {
        /// They end too early.
        case truncated
        /// They go on after the end.
        case trailing
        /// A value has another type than the one expected here.
        case unexpectedType
        /// Containers within containers, deeper than allowed.
        case tooDeep
        /// A text, a list or a map that is longer than allowed, or than what follows could hold.
        case tooLong
        /// A text that is not UTF-8.
        case invalidText
        /// A value that makes no sense here.
        case invalidValue
        /// A field that has to be there and is not.
        case missingField
    }

    /// What is wrong.
    public let kind: Kind
    /// The offset in the bytes at which it was noticed.
    public let offset: Int
    /// The field or the type it is about; empty where that is not known.
    public let detail: String

    /// A mistake at a place in the bytes.
    public init(_ kind: Kind, at offset: Int, _ detail: String = "") {
        self.kind = kind
        self.offset = offset
        self.detail = detail
    }

    /// Always a bad request.
    public var code: ErrorCode { kind == .tooLong || kind == .tooDeep ? .tooLarge : .badRequest }
    /// The offset.
    public var resource: String { "byte \(offset)" }
    /// The mistake in words.
    public var description: String {
        let what =
            switch kind {
            case .truncated: "the message ends too early"
            case .trailing: "the message goes on after its end"
            case .unexpectedType: "a value has the wrong type"
            case .tooDeep: "the message is nested too deeply"
            case .tooLong: "something is too long"
            case .invalidText: "a text is not UTF-8"
            case .invalidValue: "a value makes no sense"
            case .missingField: "a field is missing"
            }
        return "\(what) at byte \(offset)" + (detail.isEmpty ? "" : ": \(detail)")
    }
}
