public import DeviceModel

/// Which commands were begun, so that none is done twice, and one that a crash interrupted is told of.
public protocol CommandLog: Sendable {
    /// Writes down that a command is about to be done.
    ///
    /// - Returns: false when a command of this id was begun before.
    /// - Throws: An ``ExplainedError`` when it could not be written down.
    func claim(_ command: Command) async throws -> Bool

    /// The commands that were begun and never came to an end. Each is told once.
    func interrupted() async throws -> [CommandResult]
}
