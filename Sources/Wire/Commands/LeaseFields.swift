import DeviceModel

extension MessagePackWriter {
    /// The fields of a lease, where there is one, beside those of its command.
    mutating func leaseFields(_ lease: Lease?) {
        guard let lease else { return }
        field("lease", lease.id.rawValue)
        field("lease_ms", lease.duration.milliseconds)
        if lease.isRenewed { field("lease_renewed", true) }
    }
}

/// The fields of a lease, as far as they were there.
struct LeaseFields {
    /// The names of the fields.
    static let keys: Set = ["lease", "lease_ms", "lease_renewed"]

    var id: LeaseID?
    var duration: Duration?
    var isRenewed = false

    /// Reads one of the ``keys``.
    mutating func read(_ key: String, _ reader: inout MessagePackReader) throws(WireError) {
        switch key {
        case "lease": id = try reader.readText(key) { LeaseID(rawValue: $0) }
        case "lease_ms": duration = try reader.readLeaseDuration(key)
        default: isRenewed = try reader.readBool()
        }
    }

    /// The lease of a command; nil where none of its fields was there.
    ///
    /// - Throws: ``WireError`` for half a lease: whoever sends one wants an end, and must not get a command without one.
    func lease(_ reader: MessagePackReader) throws(WireError) -> Lease? {
        if id == nil, duration == nil, !isRenewed { return nil }
        let lease = Lease(
            id: try reader.require(id, "lease"), duration: try reader.require(duration, "lease_ms"),
            isRenewed: isRenewed)
        guard lease.duration > .zero else {
            throw WireError(.invalidValue, at: reader.offset, "lease_ms is 0; only a renewal ends a lease")
        }
        return lease
    }
}

extension MessagePackReader {
    /// Reads how long a lease lasts, in milliseconds; zero is its end.
    ///
    /// - Throws: ``WireError`` of the kind `invalidValue` for what is neither zero nor one of ``Lease/durations``.
    fileprivate mutating func readLeaseDuration(_ name: String) throws(WireError) -> Duration {
        let start = offset
        let milliseconds = try readInt64()
        let allowed = Lease.durations.lowerBound.milliseconds...Lease.durations.upperBound.milliseconds
        guard milliseconds == 0 || allowed.contains(milliseconds) else {
            throw WireError(
                .invalidValue, at: start,
                "\(name) is \(milliseconds); it has to be from \(allowed.lowerBound) to \(allowed.upperBound)")
        }
        return .milliseconds(milliseconds)
    }
}
