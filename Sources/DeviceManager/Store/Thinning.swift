import DeviceModel

/// Which readings stay where one of each property is kept for an interval: the first of each, and the first of each
/// change of quality.
///
/// A plain value.
struct Thinning {
    /// A property of a component.
    struct Property: Hashable {
        var component: String
        var name: String
    }

    private struct Kept: Equatable {
        var boot: Int64
        var interval: Int64
        var quality: String
    }

    private var newest: [Property: Kept] = [:]

    /// Whether a reading stays; to be asked in the order in which they were made.
    ///
    /// - Parameters:
    ///   - property: What was read.
    ///   - boot: The boot of `at`.
    ///   - at: When it was read.
    ///   - quality: How good it is.
    ///   - interval: For how long one is enough.
    /// - Returns: Whether it is the first of its kind.
    mutating func keeps(
        _ property: Property, boot: Int64, at: MonotonicTime, quality: String, interval: Duration
    ) -> Bool {
        let kept = Kept(boot: boot, interval: at.nanoseconds / max(1, interval.nanoseconds), quality: quality)
        defer { newest[property] = kept }
        return newest[property] != kept
    }
}
