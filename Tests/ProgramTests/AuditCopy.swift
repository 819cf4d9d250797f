import Crypto
import Foundation
import TestSupport

/// A copy of a router's folder, in which a test does what somebody would who has the files: to the audit log, and to the
/// file that says where it ended.
///
/// How the log is written is said here once more, independently of the router: a JSON object a line, whose last field is
/// SHA-256 over the hash of the line before (32 bytes, all 0 before the first) and the bytes before `,"hash":`.
struct AuditCopy {
    /// The copy's log.
    let path: String
    /// The lines of the log as they were, without their line feeds.
    let lines: [[UInt8]]
    /// What `audit.head` said.
    let head: [UInt8]
    private let (house, folder): (Household, String)

    /// Copies the folder of a router that has stopped.
    ///
    /// - Parameter house: Whose router it is.
    /// - Throws: What is in the way; ``HarnessError`` when the log does not end with a line feed.
    init(_ house: Household) throws {
        self.house = house
        folder = house.folder.file("copy")
        path = "\(folder)/audit.log"
        try FileManager.default.copyItem(atPath: house.routerData, toPath: folder)
        var lines = try Data(contentsOf: URL(filePath: path))
            .split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) }
        guard lines.popLast() == [], lines.count > 5 else { throw HarnessError(description: "no whole log: \(path)") }
        self.lines = lines
        head = try Array(Data(contentsOf: URL(filePath: "\(folder)/audit.head")))
    }

    /// The whole log as it was.
    var log: [UInt8] { Self.log(lines) }

    /// Lines as a log.
    static func log(_ lines: some Sequence<[UInt8]>) -> [UInt8] { lines.flatMap { $0 + [0x0A] } }

    // MARK: The chain

    private static let beforeHash = ",\"hash\":\""

    /// Lines with the hashes that they would have, had they been written like this: each covers the one before it and its
    /// own line up to it.
    static func chained(_ lines: some Sequence<[UInt8]>) -> [[UInt8]] {
        var hash = [UInt8](repeating: 0, count: 32)
        return lines.map { line in
            let body = line.dropLast(beforeHash.utf8.count + 64 + 2)
            hash = Array(SHA256.hash(data: hash + body))
            return body + Array("\(beforeHash)\(hexadecimal(hash))\"}".utf8)
        }
    }

    /// What `audit.head` says of a log with these lines.
    static func head(_ lines: [[UInt8]]) -> [UInt8] {
        let hash = lines.last.map { String(decoding: $0.dropLast(2).suffix(64), as: UTF8.self) }
        let number = String(lines.count)
        let zeros = String(repeating: "0", count: 20 - number.count)
        return Array("\(zeros)\(number) \(hash ?? String(repeating: "0", count: 64))\n".utf8)
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }

    // MARK: The look at it

    /// Puts a log into the copy, and lets `m2m-router audit verify` look at it.
    ///
    /// - Parameters:
    ///   - log: The log.
    ///   - head: What `audit.head` says; nil: it is not there.
    /// - Throws: What is in the way.
    /// - Returns: What came of it.
    func verify(_ log: [UInt8], head: [UInt8]?) async throws -> Outcome {
        try Data(log).write(to: URL(filePath: path))
        let headFile = URL(filePath: "\(folder)/audit.head")
        if let head { try Data(head).write(to: headFile) } else { try FileManager.default.removeItem(at: headFile) }
        return try await house.run("m2m-router", ["audit", "verify", "--data", folder])
    }
}

extension Outcome {
    /// What `m2m-router audit verify` found in a log; nothing: it says that the log is sound.
    ///
    /// - Throws: ``HarnessError`` when it ended otherwise than it does.
    func findings(in log: String) throws -> [Substring] {
        let prefix = "m2m-router: \(log): "
        let isSound = errors.isEmpty && output.count == 2
        guard status == (isSound ? 0 : 1), isSound || output.isEmpty, errors.allSatisfy({ $0.hasPrefix(prefix) })
        else { throw HarnessError(description: "not what `audit verify` says: \(self)") }
        return errors.map { $0.dropFirst(prefix.count) }
    }
}
