public import DeviceModel
public import HAL

/// A board on a bench: the board, and hands that can reach its outside.
public protocol BoardBench: Sendable {
    /// The board.
    var board: any Board { get }
    /// Its clock.
    var time: any TimeSource { get }
    /// A free line that the bench can drive.
    var input: LineReference { get }
    /// Another free line, whose voltage the bench can see.
    var output: LineReference { get }
    /// A bus with a BMP280 on it.
    var bus: Int { get }
    /// The address of that BMP280.
    var sensor: I2CAddress { get }
    /// An address on that bus at which nothing answers.
    var silent: I2CAddress { get }
    /// A name that two lines have; nil: the board has none such.
    var ambiguous: LineReference? { get }

    /// Drives the voltage on a line from outside.
    func drive(_ line: LineReference, high: Bool) async throws
    /// Whether the voltage on a line is high.
    func isHigh(_ line: LineReference) async throws -> Bool
    /// Lets time pass on the bench's clock.
    func pass(_ duration: Duration) async throws
}

/// What every board promises, as checks that run on any bench: in memory, and on a real kernel.
public struct BoardConformance: Sendable {
    /// One promise.
    public struct Check: Sendable, CustomStringConvertible {
        /// The promise, as a sentence.
        public let promise: String
        /// Puts it to the test.
        ///
        /// - Throws: ``Violation`` when the promise is not kept, and whatever the board throws.
        public let run: @Sendable (any BoardBench) async throws -> Void

        /// The promise.
        public var description: String { promise }
    }

    /// A promise that is not kept.
    public struct Violation: Error, CustomStringConvertible {
        /// What was seen instead.
        public let description: String
    }

    /// All promises.
    public static let checks: [Check] = lineChecks + errorChecks + busChecks
}

/// Throws unless something holds.
func expect(_ condition: Bool, _ otherwise: @autoclosure () throws -> String) throws {
    guard condition else { throw BoardConformance.Violation(description: try otherwise()) }
}

/// Throws unless an error of a kind is thrown, whose words contain all of these.
func expectError(
    _ kind: HALError.Kind, saying words: [String] = [], _ body: () async throws -> Void
) async throws {
    do {
        try await body()
    } catch let error as HALError {
        try expect(error.kind == kind, "\(error.kind) instead of \(kind): \(error)")
        for word in words { try expect(error.description.contains(word), "'\(word)' is not in: \(error)") }
        return
    }
    throw BoardConformance.Violation(description: "no error, where \(kind) was due")
}
