import DeviceModel
import HAL
import Testing

@Suite struct DebouncerTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)

    private func at(_ milliseconds: Int) -> MonotonicTime { start + .milliseconds(milliseconds) }

    @Test func anEdgeCountsWhenThePeriodEnds() {
        var debouncer = Debouncer(period: .milliseconds(20), value: .inactive)
        #expect(debouncer.edge(.active, at: at(0)).isEmpty)
        #expect(debouncer.deadline == at(20))
        #expect(debouncer.tick(at: at(19)).isEmpty)
        #expect(debouncer.tick(at: at(25)) == [.init(value: .active, time: at(20))])
        #expect(debouncer.deadline == nil)
        #expect(debouncer.value == .active)
    }

    @Test func bouncesStartThePeriodAgain() {
        var debouncer = Debouncer(period: .milliseconds(20), value: .inactive)
        var edges: [Debouncer.Edge] = []
        for (time, value) in [(0, LineValue.active), (2, .inactive), (4, .active), (6, .inactive), (8, .active)] {
            edges += debouncer.edge(value, at: at(time))
        }
        edges += debouncer.tick(at: at(28))
        #expect(edges == [.init(value: .active, time: at(28))])
    }

    @Test func aGlitchThatEndsWhereItBeganIsNothing() {
        var debouncer = Debouncer(period: .milliseconds(20), value: .inactive)
        _ = debouncer.edge(.active, at: at(0))
        _ = debouncer.edge(.inactive, at: at(5))
        #expect(debouncer.tick(at: at(100)).isEmpty)
        #expect(debouncer.value == .inactive)
    }

    @Test func anEdgeThatNobodyTickedForIsTold() {
        var debouncer = Debouncer(period: .milliseconds(20), value: .inactive)
        _ = debouncer.edge(.active, at: at(0))
        #expect(debouncer.edge(.inactive, at: at(50)) == [.init(value: .active, time: at(20))])
        #expect(debouncer.tick(at: at(70)) == [.init(value: .inactive, time: at(70))])
    }

    @Test func withoutAPeriodEveryEdgeCountsAtOnce() {
        var debouncer = Debouncer(period: .zero, value: .inactive)
        #expect(debouncer.edge(.active, at: at(3)) == [.init(value: .active, time: at(3))])
        #expect(debouncer.edge(.active, at: at(4)).isEmpty)
        #expect(debouncer.edge(.inactive, at: at(5)) == [.init(value: .inactive, time: at(5))])
    }
}
