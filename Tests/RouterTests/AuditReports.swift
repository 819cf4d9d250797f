import Synchronization

/// What an audit log has reported.
final class AuditReports: Sendable {
    private let said = Mutex<[String]>([])

    /// What it has said since this was asked last.
    var new: [String] {
        said.withLock { said in
            defer { said = [] }
            return said
        }
    }

    func add(_ words: String) { said.withLock { $0.append(words) } }
}
