public import DeviceModel

/// What was said on an I²C bus, in order: made by ``RecordingBoard``, played by ``PlaybackBoard``.
///
/// As text a transfer is a line: `0x76 write d0 read 58`, or `0x76 write d0 fails noAcknowledge`. Lines that begin with
/// `#` say where the recording comes from.
public struct I2CRecording: Hashable, Sendable {
    /// One transfer.
    public struct Transfer: Hashable, Sendable {
        /// The target.
        public var address: I2CAddress
        /// What was written.
        public var write: [UInt8]
        /// What was read; nil: the transfer failed because nobody answered.
        public var read: [UInt8]?
    }

    /// The transfers.
    public var transfers: [Transfer]

    /// A recording of these transfers.
    public init(_ transfers: [Transfer] = []) {
        self.transfers = transfers
    }

    /// Reads a recording.
    ///
    /// - Parameter text: Its text.
    /// - Throws: ``RecordingError`` with the line that makes no sense.
    public init(text: String) throws(RecordingError) {
        transfers = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            guard let transfer = Transfer(String(line)) else {
                throw RecordingError("line \(index + 1) of the recording is no transfer: \(line)")
            }
            transfers.append(transfer)
        }
    }

    /// The recording as text.
    public var text: String {
        transfers.map { "\($0.text)\n" }.joined()
    }
}

extension I2CRecording.Transfer {
    fileprivate init?(_ line: String) {
        let words = line.split(separator: " ").map(String.init)
        guard words.count > 1, words[0].hasPrefix("0x"), let number = Int(words[0].dropFirst(2), radix: 16),
            let address = I2CAddress(number)
        else { return nil }
        self.init(address: address, write: [], read: [])
        if words.suffix(2) == ["fails", "noAcknowledge"] { read = nil }
        var isReading = false
        for word in words.dropFirst() where word != "write" && word != "fails" && word != "noAcknowledge" {
            if word == "read" {
                isReading = true
            } else if let byte = UInt8(word, radix: 16) {
                if isReading { read?.append(byte) } else { write.append(byte) }
            } else {
                return nil
            }
        }
    }

    fileprivate var text: String {
        var words = [address.description]
        if !write.isEmpty { words += ["write"] + write.map { [$0].hexadecimal } }
        guard let read else { return (words + ["fails", "noAcknowledge"]).joined(separator: " ") }
        if !read.isEmpty { words += ["read"] + read.map { [$0].hexadecimal } }
        return words.joined(separator: " ")
    }
}

/// A recording that can't be read, or that is not what the driver says.
public struct RecordingError: Error, CustomStringConvertible {
    /// What is wrong.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
