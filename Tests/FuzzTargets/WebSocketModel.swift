import Transport

/// A WebSocket as RFC 6455 describes it, as simple as can be: what our own has to be the same as.
struct WebSocketModel {
    /// Which end it is.
    let isServer: Bool
    /// What it puts up with.
    let limits: WebSocketLimits

    /// One frame (section 5.2).
    struct Frame {
        let isFinal: Bool
        let reserved: UInt8
        let opcode: UInt8
        let isMasked: Bool
        /// Whether the length is written in more bytes than it needs.
        let isWide: Bool
        let payload: [UInt8]

        /// Takes a frame from the front of some bytes.
        ///
        /// - Returns: nil where there is no whole one.
        init?(_ bytes: inout ArraySlice<UInt8>) {
            var rest = bytes
            guard let head = rest.popFirst(), let size = rest.popFirst() else { return nil }
            var (length, needed) = (UInt64(size & 0x7F), UInt64(0))
            if length >= 126 {
                needed = length == 126 ? 126 : 65_536
                let count = length == 126 ? 2 : 8
                guard rest.count >= count else { return nil }
                length = rest.prefix(count).reduce(0) { $0 << 8 | UInt64($1) }
                rest = rest.dropFirst(count)
            }
            var key = [UInt8](repeating: 0, count: 4)
            if size & 0x80 != 0 {
                guard rest.count >= 4 else { return nil }
                key = Array(rest.prefix(4))
                rest = rest.dropFirst(4)
            }
            guard length <= UInt64(rest.count) else { return nil }
            payload = rest.prefix(Int(length)).enumerated().map { $0.element ^ key[$0.offset % 4] }
            isWide = length < needed
            (isFinal, reserved, opcode, isMasked) = (head & 0x80 != 0, head & 0x70, head & 0x0F, size & 0x80 != 0)
            bytes = rest.dropFirst(Int(length))
        }
    }

    /// The frames that some bytes begin with.
    static func frames(_ bytes: [UInt8]) -> [Frame] {
        var rest = bytes[...]
        var frames: [Frame] = []
        while let frame = Frame(&rest) { frames.append(frame) }
        return frames
    }

    /// The messages that have to be delivered: all those before the first frame that breaks a rule or is the last one.
    func messages(_ bytes: [UInt8]) -> [[UInt8]] {
        var messages: [[UInt8]] = []
        var (open, pieces) = ([UInt8]?.none, 0)
        for frame in Self.frames(bytes) {
            guard frame.reserved == 0, frame.isMasked == isServer, !frame.isWide else { return messages }
            switch frame.opcode {
            case 0x0, 0x2:
                guard (open == nil) == (frame.opcode == 0x2) else { return messages }
                let message = (open ?? []) + frame.payload
                pieces = open == nil ? 1 : pieces + 1
                guard message.count <= limits.messageSize, pieces <= limits.fragmentCount else { return messages }
                open = frame.isFinal ? nil : message
                if frame.isFinal { messages.append(message) }
            case 0x9, 0xA:
                guard frame.isFinal, frame.payload.count <= 125 else { return messages }
            default: return messages
            }
        }
        return messages
    }
}
