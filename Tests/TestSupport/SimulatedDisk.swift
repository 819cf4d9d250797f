import CSimulatedDisk
import Synchronization

/// A disk in memory that fails and loses things when a test wants it to; gone when nobody holds it any more.
public final class SimulatedDisk: Sendable {
    /// A copy of all that was on a disk.
    public final class Image: @unchecked Sendable {  // safe: it is never changed, and freed once
        fileprivate let image: OpaquePointer

        fileprivate init(_ image: OpaquePointer) {
            self.image = image
        }

        deinit { simulated_disk_image_free(image) }
    }

    private static let isInstalled = simulated_disk_install()
    private static let made = Atomic<Int>(0)

    private let name: String

    /// Makes an empty disk.
    ///
    /// - Parameter seed: Decides what chance decides on it, such as what a power cut takes.
    public init(seed: UInt64 = 0) {
        name = "disk-\(Self.made.add(1, ordering: .relaxed).newValue)"
        precondition(Self.isInstalled && simulated_disk_make(name, seed), "SQLite takes every VFS")
    }

    deinit { simulated_disk_destroy(name) }

    /// The path of a file on it, for SQLite.
    public func path(_ file: String) -> String { "\(SIMULATED_DISK_ROOT)\(name)/\(file)" }

    /// How many operations were done that change something.
    public var operations: UInt64 {
        var counts = simulated_disk_counts()
        simulated_disk_count(name, &counts)
        return counts.total
    }

    /// How many bytes are on it.
    public var size: UInt64 { simulated_disk_total_size(name) }

    // MARK: Faults

    /// Lets the n-th operation fail, from now on: once, or it and all after it.
    public func fail(at operation: UInt64, forEver: Bool = false) {
        plan(operation, forEver ? SIMULATED_DISK_FAILS_FROM_THEN_ON : SIMULATED_DISK_FAILS_ONCE)
    }

    /// Lets the process end right after the n-th operation, from now on.
    public func crash(at operation: UInt64) { plan(operation, SIMULATED_DISK_CRASHES) }

    /// Lets the power go in the middle of the n-th operation, from now on.
    public func cutPower(at operation: UInt64) { plan(operation, SIMULATED_DISK_LOSES_POWER) }

    private func plan(_ operation: UInt64, _ fault: simulated_disk_fault) {
        precondition(simulated_disk_plan_fault(name, operation, fault), "the disk is there")
    }

    /// Lets all files together have no more than so many bytes.
    public func limit(to bytes: UInt64) { simulated_disk_set_capacity(name, bytes) }

    /// Makes it read-only.
    public func setReadOnly() { simulated_disk_set_read_only(name, true) }

    /// Lets everything go well from now on.
    public func repair() { simulated_disk_clear_faults(name) }

    /// Ends the process, as far as the disk sees it.
    public func crash() { simulated_disk_crash(name) }

    /// Cuts the power: what was not synced may be lost.
    public func cutPower() { simulated_disk_cut_power(name) }

    // MARK: Copies

    /// Makes a copy of all that is on it.
    public func copy() -> Image {
        guard let image = simulated_disk_copy(name) else { preconditionFailure("the disk is there") }
        return Image(image)
    }

    /// Puts a copy in the place of all that is on it; what is open is dead.
    public func restore(_ image: Image) { simulated_disk_restore(name, image.image) }
}
