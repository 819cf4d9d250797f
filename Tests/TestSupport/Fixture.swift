import Glibc

/// The files under `Fixtures/`.
public enum Fixture {
    /// The path of a file.
    ///
    /// - Parameter name: Its name under `Fixtures/`.
    /// - Returns: Its path.
    public static func path(_ name: String) -> String { Repository.path("Fixtures/\(name)") }

    /// The text of a file.
    ///
    /// - Parameter name: Its name under `Fixtures/`.
    /// - Throws: ``HarnessError`` when it can't be read.
    /// - Returns: Its text.
    public static func text(_ name: String) throws -> String {
        guard let file = fopen(path(name), "r") else { throw HarnessError(description: "no fixture \(path(name))") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = fgetc(file), byte != EOF { bytes.append(UInt8(truncatingIfNeeded: byte)) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
