import Foundation

/// A program that has run to its end.
struct Run {
    /// What it said, on standard output and standard error.
    let said: String
    /// Its exit status; where a signal ended it, the signal's number.
    let status: Int32

    /// Runs a program, one of this machine's or one of ours, by its path.
    ///
    /// - Parameters:
    ///   - program: The program.
    ///   - arguments: Its arguments, without its name.
    ///   - environment: Its whole environment; nil: that of the tests.
    /// - Throws: Foundation's error when it can't be started.
    init(_ program: String, _ arguments: [String], environment: [String: String]? = nil) throws {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        if let environment { process.environment = environment }
        process.standardOutput = output
        process.standardError = output
        try process.run()
        said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        status = process.terminationStatus
    }
}
