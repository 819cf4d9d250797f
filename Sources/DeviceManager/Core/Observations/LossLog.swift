public import DeviceModel
public import Logging
import Synchronization

/// Tells the log of what is missing: once for each reason when it begins, and again when it is twice as much.
public final class LossLog: Sendable {
    /// After this time without a word something is told, however much it is.
    static let pause: Duration = .seconds(3_600)

    private struct Told {
        var count: UInt64
        var at: MonotonicTime
    }

    private let logger: Logger
    private let time: any TimeSource
    private let told = Mutex<[GapReason: Told]>([:])

    /// - Parameters:
    ///   - logger: Where it is logged.
    ///   - time: The clock.
    public init(_ logger: Logger, time: any TimeSource) {
        (self.logger, self.time) = (logger, time)
    }

    private func words(of reason: GapReason) -> String {
        guard reason == .storeDamaged else { return reason.text }
        return "\(reason.text); what is left of it lies beside the new one, with .damaged in its name"
    }

    /// These gaps were written down, some of them not for the first time: they have grown.
    public func note(_ gaps: [Gap]) {
        let now = time.now
        for (reason, all) in Dictionary(grouping: gaps, by: \.reason).sorted(by: { $0.key.rawValue < $1.key.rawValue })
        {
            let count = all.reduce(UInt64(0)) { sum, gap in
                let (sum, isTooMuch) = sum.addingReportingOverflow(gap.count ?? 0)
                return isTooMuch ? .max : sum
            }
            let isNews = told.withLock { told in
                if let last = told[reason], now - last.at < Self.pause, count / 2 < last.count { return false }
                told[reason] = Told(count: count, at: now)
                return true
            }
            guard isNews else { continue }
            let isKnown = all.allSatisfy { $0.count != nil }
            logger.warning(
                "observations are missing",
                metadata: ["reason": "\(words(of: reason))", "count": isKnown ? "\(count)" : "unknown"])
        }
    }
}
