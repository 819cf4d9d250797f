extension MessagePackReader {
    /// The value of a field that has to be there.
    ///
    /// - Parameters:
    ///   - value: What was read; nil where the field was missing.
    ///   - name: The field, for the error.
    /// - Throws: ``WireError`` of the kind `missingField`.
    /// - Returns: The value.
    public func require<Value>(_ value: Value?, _ name: String) throws(WireError) -> Value {
        guard let value else { throw WireError(.missingField, at: offset, name) }
        return value
    }

    /// Reads a text and makes something else of it.
    ///
    /// - Parameters:
    ///   - name: The field, for the error.
    ///   - convert: nil for a text that is no such thing.
    /// - Throws: ``WireError`` of the kind `invalidValue` when `convert` gives nil.
    /// - Returns: What `convert` gives.
    public mutating func readText<Value>(_ name: String, _ convert: (String) -> Value?) throws(WireError) -> Value {
        let start = offset
        guard let value = convert(try readString()) else { throw WireError(.invalidValue, at: start, name) }
        return value
    }

    /// Reads bytes that have to be so many.
    ///
    /// - Parameters:
    ///   - name: The field, for the error.
    ///   - count: How many bytes there have to be.
    /// - Throws: ``WireError`` of the kind `invalidValue` for another number of bytes.
    /// - Returns: The bytes.
    public mutating func readBytes(_ name: String, count: Int) throws(WireError) -> [UInt8] {
        let start = offset
        let bytes = try readBytes()
        guard bytes.count == count else {
            throw WireError(.invalidValue, at: start, "\(name) must be \(count) bytes")
        }
        return bytes
    }

    /// Reads a whole number that has to fit an `Int`.
    public mutating func readInt() throws(WireError) -> Int {
        Int(try readInt64())
    }

    /// Reads a value, or nil.
    ///
    /// - Parameter body: Reads the value where there is one.
    /// - Throws: ``WireError``, and what `body` throws.
    /// - Returns: What `body` gives; nil for a nil.
    public mutating func readOptional<Value>(
        _ body: (inout MessagePackReader) throws(WireError) -> Value
    ) throws(WireError) -> Value? {
        try readNil() ? nil : try body(&self)
    }
}
