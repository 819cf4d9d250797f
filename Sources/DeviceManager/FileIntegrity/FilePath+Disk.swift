import DeviceModel
import Glibc

extension FilePath {
    /// Calls something with the path as C wants it.
    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { buffer in
            for (index, byte) in bytes.enumerated() { buffer.initializeElement(at: index, to: CChar(bitPattern: byte)) }
            buffer.initializeElement(at: bytes.count, to: 0)
            return body(UnsafePointer(buffer.baseAddress.unsafelyUnwrapped))
        }
    }

    /// Where a link leads; nil: it is none.
    var linkTarget: [UInt8]? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: FilePath.limit) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let count = withCString { readlink($0, start, buffer.count) }
            return count < 0 ? nil : buffer.prefix(count).map { UInt8(bitPattern: $0) }
        }
    }
}
