import DeviceModel
import Wire

/// A look at a router's audit log, from its own machine, whether the router runs or not.
public enum AuditCheck {
    /// What came of it.
    public struct Report: Hashable, Sendable {
        /// The file.
        public let path: String
        /// How many entries there are.
        public let entries: Int
        /// The hash of the last one, in hexadecimal digits.
        public let hash: String
        /// With how many devices' memories it was compared.
        public let devices: Int
        /// What is wrong, in words; nothing: the log is sound.
        public let findings: [String]
    }

    /// Checks the whole log; nothing is written.
    ///
    /// - Parameter dataDirectory: The router's folder.
    /// - Returns: What was found.
    /// - Throws: An ``ExplainedError`` where the log can't be read.
    public static func run(dataDirectory: String) throws -> Report {
        let disk = try files(in: dataDirectory)
        var (anchors, findings): ([AuditAnchor], [String]) = ([], [])
        let database = "\(dataDirectory)/router.db"
        do {
            if SafeFile.exists(database) { anchors = try RouterStore.auditAnchors(in: database) }
        } catch {
            findings.append("what the devices were told cannot be compared: \(error.explanation)")
        }
        let report = try AuditVerifier.verify(disk, anchors: anchors)
        return Report(
            path: disk.path, entries: report.lines, hash: report.head.hash.hexadecimal, devices: anchors.count,
            findings: report.findings.map(\.description) + findings)
    }
}

extension AuditCheck {
    /// The newest entries of the audit log, everybody's, as they stand in the file but for their hashes.
    ///
    /// - Parameters:
    ///   - limit: How many, at most.
    ///   - dataDirectory: The router's folder.
    /// - Returns: A JSON object for each, in their order.
    /// - Throws: ``RouterProblem`` where the log can't be read.
    public static func lines(limit: Int, dataDirectory: String) throws -> [String] {
        let disk = try files(in: dataDirectory)
        var newest: [String] = []
        _ = try disk.readLines(in: 0..<(try disk.size())) { line, _ in
            guard let (body, _) = AuditLine.parts(line), AuditLine.entry(body) != nil else { return }
            newest.append(String(decoding: body, as: UTF8.self) + "}")
            if newest.count - limit > 1_024 { newest.removeFirst(newest.count - limit) }
        }
        return newest.suffix(limit)
    }

    /// The log, of which nothing is written.
    private static func files(in folder: String) throws -> AuditFiles {
        do throws(FileError) {
            return try AuditFiles(folder: folder, isReadOnly: true)
        } catch {
            guard error.code == .notFound else { throw error }
            throw RouterProblem(
                .notFound, error.path, "there is no audit log \(error.path); is --data the router's folder?")
        }
    }
}
