import DeviceManager
import DeviceModel
import Glibc

/// What the watch over the files keeps in the agent's state directory.
public struct IntegrityFolder: Sendable {
    /// What the files are meant to be.
    let baseline: BaselineFile
    /// That the device is disabled.
    let mark: DisabledMark
    private let recordFile: String
    private let expectedFile: String

    /// - Parameter path: The state directory.
    public init(_ path: String) {
        baseline = BaselineFile(path: "\(path)/integrity.baseline")
        mark = DisabledMark(path: "\(path)/disabled")
        recordFile = "\(path)/integrity.state"
        expectedFile = "\(path)/integrity.expected"
    }

    /// What was written down last; nothing where it is gone or damaged.
    var record: IntegrityRecord {
        let bytes = try? SafeFile.read(recordFile)  // safe: what is not known is the least that can be wanted
        return bytes.flatMap { IntegrityRecord(String(decoding: $0, as: UTF8.self)) } ?? IntegrityRecord()
    }

    func keep(_ record: IntegrityRecord) throws(FileError) {
        try SafeFile.write(record.text.utf8, to: recordFile)
    }

    /// What a release will bring; nil: none is on its way, or it can't be read any more.
    var expected: ExpectedRelease? {
        let bytes = try? SafeFile.read(expectedFile)  // safe: then what it brings alarms, and is approved by the owner
        return bytes.flatMap(\.self).flatMap { ExpectedRelease(String(decoding: $0, as: UTF8.self)) }
    }

    func expect(_ release: ExpectedRelease) throws(FileError) {
        try SafeFile.write(release.text.utf8, to: expectedFile)
    }

    func expectNothing() throws(FileError) {
        guard unlink(expectedFile) == 0 || errno == ENOENT else { throw FileError(expectedFile, errno) }
    }

    /// What is there and can't be used: what it said is lost.
    var problems: [String] {
        let contents: [(String, (String) -> Bool)] = [
            (recordFile, { IntegrityRecord($0) != nil }), (expectedFile, { ExpectedRelease($0) != nil }),
        ]
        return contents.compactMap { path, isGood in
            do throws(FileError) {
                guard let bytes = try SafeFile.read(path) else { return nil }
                return isGood(String(decoding: bytes, as: UTF8.self)) ? nil : "\(path) is damaged: what it said is lost"
            } catch {
                return "\(error)"
            }
        }
    }
}
