import DeviceModel
import HALTestKit
import Logging
import TestSupport
import Testing

@testable import DeviceManager

/// What is missing is in the log: when it begins, and again when it is twice as much, or after an hour.
@Suite struct LossLogTests {
    private let time = ManualTime()
    private let lines = LogLines { "\($0.metadata?["reason"] ?? "") \($0.metadata?["count"] ?? "")" }

    private func gap(_ count: UInt64?, _ reason: GapReason, of stream: StreamName = .telemetry) -> Gap {
        Gap(stream: stream, epoch: 7, first: 1, last: count ?? 1, count: count, reason: reason)
    }

    @Test("A loss that grows is told each time that it has doubled, and after an hour")
    func growing() {
        let log = LossLog(Logger(label: "test") { _ in lines }, time: time)
        for count: UInt64 in [10, 11, 19, 20, 39, 41, 42] { log.note([gap(count, .storeFull)]) }
        time.advance(by: LossLog.pause)
        log.note([gap(43, .storeFull)])
        log.note([gap(44, .storeFull)])
        #expect(lines.all == [10, 20, 41, 43].map { "the device's store was full \($0)" })
    }

    @Test("Each reason is told for itself, the streams together, and what nobody can count as such")
    func reasons() {
        let log = LossLog(Logger(label: "test") { _ in lines }, time: time)
        log.note([
            gap(3, .tooOld), gap(nil, .uncleanStop), gap(nil, .uncleanStop, of: .events), gap(4, .tooOld, of: .events),
        ])
        log.note([gap(.max, .diskFailed), gap(.max, .diskFailed)])
        #expect(
            lines.all == [
                "they were kept for too long 7", "the device was killed or lost its power unknown",
                "the device's disk was full or failed \(UInt64.max)",
            ])
    }
}
