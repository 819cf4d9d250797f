/// What the other end of a WebSocket did that it may not do.
struct WebSocketViolation: Error, Hashable {
    /// The code with which it is told so.
    let code: CloseCode
    /// What it did, as the rest of a sentence that begins with the other end.
    let cause: String

    init(_ code: CloseCode, _ cause: String) {
        self.code = code
        self.cause = cause
    }
}
