import Synchronization
import TestSupport

/// Where a simulated store gets its epochs from.
final class EpochSource: Sendable {
    private let generator: Mutex<SeededGenerator>

    init(seed: UInt64) {
        generator = Mutex(SeededGenerator(seed: seed))
    }

    /// Another one each time.
    func next() -> UInt64 {
        generator.withLock { generator in generator.next() | 1 }
    }
}
