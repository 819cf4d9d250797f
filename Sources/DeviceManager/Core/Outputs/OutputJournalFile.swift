import DeviceModel
import Glibc
import Logging

/// The file in which the journal of the outputs is: on a tmpfs, so that it is gone with the boot.
public struct OutputJournalFile: Sendable {
    /// The file.
    public let path: String

    /// A journal in a file.
    public init(path: String) {
        self.path = path
    }

    /// What was written down; nil: nothing, or nothing that can be read.
    func read(_ logger: Logger) -> OutputJournal? {
        do throws(FileError) {
            guard let bytes = try SafeFile.read(path) else { return nil }
            if let journal = OutputJournal(text: String(decoding: bytes, as: UTF8.self)) { return journal }
            logger.warning(
                "journal of the outputs is damaged; what is away from safe is made safe", metadata: ["path": "\(path)"])
        } catch {
            logger.warning("journal of the outputs cannot be read", metadata: ["reason": "\(error)"])
        }
        return nil
    }

    /// Writes it down, wholly or not at all: where that fails, what was written before is wrong, and is removed.
    func write(_ journal: OutputJournal) throws(FileError) {
        try SafeFile.makeFolder(of: path)
        do throws(FileError) {
            try SafeFile.write(journal.text.utf8, to: path)
        } catch {
            unlink(path)
            throw error
        }
    }
}
