import DeviceModel
import Wire

/// An end of the log that a device was told of, and that it would notice if it were gone.
struct AuditAnchor: Hashable, Sendable {
    var device: String
    var head: AuditHead
    /// When it was told.
    var told: WallTime?

    /// When it was told, in words; empty: that is not known.
    var when: String { told.map { " on \($0.rfc3339)" } ?? "" }
}
