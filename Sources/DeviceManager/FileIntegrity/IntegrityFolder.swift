import DeviceManager
import DeviceModel

/// What the watch over the files keeps in the agent's state directory.
public struct IntegrityFolder: Sendable {
    /// What the files are meant to be.
    let baseline: BaselineFile
    /// That the device is disabled.
    let mark: DisabledMark
    private let recordFile: String

    /// - Parameter path: The state directory.
    public init(_ path: String) {
        baseline = BaselineFile(path: "\(path)/integrity.baseline")
        mark = DisabledMark(path: "\(path)/disabled")
        recordFile = "\(path)/integrity.state"
    }

    /// What was written down last; nothing where it is gone or damaged.
    var record: IntegrityRecord {
        let bytes = try? SafeFile.read(recordFile)  // safe: what is not known is the least that can be wanted
        return bytes.flatMap { IntegrityRecord(String(decoding: $0, as: UTF8.self)) } ?? IntegrityRecord()
    }

    func keep(_ record: IntegrityRecord) throws(FileError) {
        try SafeFile.write(record.text.utf8, to: recordFile)
    }
}
