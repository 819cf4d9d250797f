import DeviceModel
import Wire

/// Why a session ended, and when to try again.
struct LinkProblem: ExplainedError, Hashable {
    let code: ErrorCode
    let description: String
    /// How long the router wants to be left alone.
    let retryAfter: Duration?
    /// Whether nobody is there any more to whom a word of goodbye could be said.
    let isSilence: Bool

    var resource: String { "" }

    init(_ words: String, isSilence: Bool = false) {
        (code, description, retryAfter) = (.unreachable, words, nil)
        self.isSilence = isSilence
    }

    init(_ failure: Failure) {
        code = failure.code
        description = "the router says: \(failure.message)"
        retryAfter = failure.retryAfter
        isSilence = false
    }
}
