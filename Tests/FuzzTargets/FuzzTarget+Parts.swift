import Wire

extension FuzzTarget {
    /// What is read beside, around and inside the messages.
    static let partsOfMessages = [
        FuzzTarget(messagePack, check: MessagePackWalk.check),
        envelope,
        FuzzTarget("request", seeds: [messagePack], types: ["Request"]) { (bytes) throws(BrokenPromise) in
            var verdict = Verdict.refused("no request")
            for type in Request.types.sorted() {
                let one = try request(type).check(bytes)
                if verdict != .read { verdict = one }
            }
            return verdict
        },
        FuzzTarget("failure", seeds: [messagePack], types: ["Failure"], check: failure(.requests).check),
        item("status", field: "agent", "agent-status", type: "AgentStatus"),
        item("inventory", field: "inventory", "board-inventory", type: "BoardInventory"),
        item("description", field: "description", "device-description", type: "DeviceDescription"),
    ]

    private static let envelope = FuzzTarget(
        "envelope", seeds: [messagePack], types: ["Envelope"]
    ) { (bytes) throws(BrokenPromise) in
        let form = WireForm(read: { (bytes) throws(WireError) in try Envelope(decoding: bytes) }, write: { $0.encoded })
        let verdict = try form.check(bytes)
        // safe: what is no envelope was refused above
        if let envelope = try? Envelope(decoding: bytes) { try open(envelope) }
        return verdict
    }

    static func request(_ type: String) -> WireForm<Request?> {
        WireForm { (bytes) throws(WireError) in
            try Request(in: Envelope(proto: .requests, type: type, body: bytes))
        } write: { request in
            request?.envelope(session: "").body ?? []
        }
    }

    static func failure(_ proto: ProtocolNumber) -> WireForm<Failure> {
        WireForm { (bytes) throws(WireError) in
            try Failure(in: Envelope(proto: proto, type: Failure.type, body: bytes))
        } write: { failure in
            failure.envelope(proto).body
        }
    }

    /// What stands in a field of an item, and nowhere else.
    private static func item(_ item: String, field: String, _ name: String, type: String) -> FuzzTarget {
        var writer = MessagePackWriter()
        writer.writeMap(1)
        writer.write("items")
        writer.writeArray(1)
        writer.writeMap(2)
        writer.write("item")
        writer.write(item)
        writer.write(field)
        let head = writer.bytes
        let form = WireForm { (bytes) throws(WireError) -> Items in
            do throws(WireError) {
                return try Envelope(proto: .requests, type: Items.kind.type, body: head + bytes).decode(Items.self)
            } catch {
                throw WireError(error.kind, at: max(0, error.offset - head.count), error.detail)
            }
        } write: { items in
            Array(Envelope(items).body.dropFirst(head.count))
        }
        return FuzzTarget(name, seeds: [messagePack], types: [type], check: form.check)
    }
}
