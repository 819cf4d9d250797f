/// Person to agent or router: end the conversation of this session id.
///
/// An ``End`` follows.
public struct Stop: EmptyMessage {
    /// How an envelope names it.
    public static let kind = MessageKind(.requests, "stop")

    /// The end that is wanted.
    public init() {}
}

/// Agent or router to person: the conversation has come to its end, and all is well.
public struct End: EmptyMessage {
    /// How an envelope names it.
    public static let kind = MessageKind(.requests, "end")

    /// The end.
    public init() {}
}
