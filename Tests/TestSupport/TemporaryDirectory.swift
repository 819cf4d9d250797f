import Glibc

/// A folder that is gone when nobody holds it any more.
public final class TemporaryDirectory: Sendable {
    /// The folder.
    public let path: String

    /// Makes a folder.
    ///
    /// - Throws: ``HarnessError`` when that fails.
    public init() throws {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/m2m-test.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw HarnessError(description: "no folder under \(base)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path) }

    /// A file in the folder.
    public func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a text file into the folder.
    ///
    /// - Returns: Its path.
    /// - Throws: ``HarnessError`` when that fails.
    @discardableResult
    public func write(_ name: String, _ text: String) throws -> String {
        let path = file(name)
        guard let stream = fopen(path, "w") else { throw HarnessError(description: "cannot write \(path)") }
        fputs(text, stream)
        fclose(stream)
        return path
    }

    private static func remove(_ path: String) {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                guard name != ".", name != ".." else { continue }
                let inside = "\(path)/\(name)"
                if unlink(inside) != 0 { remove(inside) }
            }
            closedir(directory)
        }
        rmdir(path)
    }
}
