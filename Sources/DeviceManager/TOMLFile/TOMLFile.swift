public import ConfigurationSchema
public import DeviceModel
import Glibc

/// A TOML file as a tree of values with their places.
///
/// What is no TOML is found line by line, so that all mistakes come out at once and not the first alone.
public enum TOMLFile {
    /// The biggest file that is read.
    ///
    /// Nobody writes more by hand.
    static let sizeLimit = 1_048_576

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - findings: Takes every line that is no TOML.
    /// - Returns: Everything that could be read.
    /// - Throws: ``TOMLFileError`` when there is no text to read.
    public static func read(_ path: String, _ findings: inout Findings) throws(TOMLFileError) -> Table {
        parse(try text(of: path), &findings)
    }

    /// Reads a text.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - findings: Takes every line that is no TOML.
    /// - Returns: Everything that could be read.
    public static func parse(_ text: String, _ findings: inout Findings) -> Table {
        var repair = LineRepair(text)
        while true {
            let text = repair.text
            // Before each try: with a line less, what were texts may be names.
            if let line = DottedNames.tooMany(in: text) {
                findings.add(
                    at: Position(line: line, column: 1),
                    "this name has more than \(DottedNames.limit) parts; is it the right file?")
                return Table()
            }
            switch TreeBuilder.build(text) {
            case .success(let table): return repair.withoutRepairs(table)
            case .failure(let error):
                findings.add(at: error.position, "this is no TOML: \(error.words)")
                guard let key = repair.takeOut(line: error.position.line) else { return Table() }
                findings.ignoreMissing(key)
            }
        }
    }

    private static func text(of path: String) throws(TOMLFileError) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw TOMLFileError(path: path, problem: .system(errno)) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= sizeLimit {
            let count = Glibc.read(file, &buffer, buffer.count)
            guard count >= 0 else { throw TOMLFileError(path: path, problem: .system(errno)) }
            if count == 0 { break }
            bytes += buffer.prefix(count)
        }
        guard bytes.count <= sizeLimit else { throw TOMLFileError(path: path, problem: .tooLong) }
        guard let text = String(validating: bytes, as: UTF8.self), !text.utf8.contains(0) else {
            throw TOMLFileError(path: path, problem: .noText)
        }
        return text
    }
}

/// A file from which no text could be read.
public struct TOMLFileError: ExplainedError, Hashable {
    /// What is in the way.
    enum Problem: Hashable {
        case system(Int32)
        case tooLong
        case noText
    }

    /// The file.
    public let path: String
    let problem: Problem

    /// The kind of failure.
    public var code: ErrorCode {
        switch problem {
        case .system(ENOENT): .notFound
        case .system(EACCES): .notPermitted
        case .system: .systemFailure
        case .tooLong: .tooLarge
        case .noText: .badRequest
        }
    }

    /// The file.
    public var resource: String { path }

    /// The failure in words.
    public var description: String {
        switch problem {
        case .system(ENOENT): "\(path) does not exist"
        case .system(let errno): "\(path) cannot be read: \(errorText(errno))"
        case .tooLong: "\(path) is longer than \(TOMLFile.sizeLimit) bytes; is it the right file?"
        case .noText: "\(path) is no text in UTF-8; is it the right file?"
        }
    }
}
