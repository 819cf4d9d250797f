import DeviceModel

/// A session came to its end in order.
struct SessionEnded: ExplainedError {
    var code: ErrorCode { .unreachable }
    var resource: String { "" }
    var description: String { "the session has ended" }
}
