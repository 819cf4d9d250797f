/// How good a value is.
public enum Quality: String, Sendable, CaseIterable {
    /// It was measured when its time stamp says.
    case good
    /// It was good once; since then it should have been renewed and was not.
    case stale
    /// It could not be measured; the reason stands beside it.
    case failed
}
