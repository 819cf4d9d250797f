import DeviceModel
import Testing

@testable import Components

@Suite struct ClickDetectorTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)

    private func at(_ milliseconds: Int) -> MonotonicTime { start + .milliseconds(milliseconds) }

    /// Plays presses (true) and releases (false) at times, letting every deadline pass, and collects `time:event`.
    private func play(_ edges: [(Int, Bool)], doubleClick: Int = 300, isPressed: Bool = false) -> [String] {
        var detector = ClickDetector(
            longPress: .milliseconds(800), doubleClick: .milliseconds(doubleClick), isPressed: isPressed)
        var detected: [ClickDetector.Detected] = []
        for (time, isPressed) in edges {
            while let deadline = detector.deadline, deadline < at(time) { detected += detector.tick(at: deadline) }
            detected += detector.edge(isPressed: isPressed, at: at(time))
        }
        while let deadline = detector.deadline { detected += detector.tick(at: deadline) }
        return detected.map { "\(($0.time - start).nanoseconds / 1_000_000):\($0.event)" }
    }

    @Test func aClickIsToldWhenNoSecondCanFollow() {
        #expect(play([(0, true), (100, false)]) == ["0:pressed", "100:released", "400:clicked"])
    }

    @Test func withoutDoubleClicksItIsToldAtOnce() {
        #expect(play([(0, true), (100, false)], doubleClick: 0) == ["0:pressed", "100:released", "100:clicked"])
    }

    @Test func twoClicksAreOneDoubleClick() {
        #expect(
            play([(0, true), (100, false), (250, true), (350, false)])
                == ["0:pressed", "100:released", "250:pressed", "350:released", "350:double-clicked"])
    }

    @Test func twoSlowClicksAreTwo() {
        #expect(
            play([(0, true), (100, false), (500, true), (600, false)]).filter { $0.hasSuffix("clicked") }
                == ["400:clicked", "900:clicked"])
    }

    @Test func threeClicksAreADoubleClickAndAClick() {
        let events = play([(0, true), (50, false), (100, true), (150, false), (200, true), (250, false)])
        #expect(events.filter { $0.hasSuffix("clicked") } == ["150:double-clicked", "550:clicked"])
    }

    @Test func aLongPressIsToldWhileHeldAndIsNoClick() {
        #expect(play([(0, true), (2_000, false)]) == ["0:pressed", "800:long-pressed", "2000:released"])
    }

    @Test func aClickThenALongPress() {
        #expect(
            play([(0, true), (100, false), (200, true), (1_500, false)])
                == ["0:pressed", "100:released", "200:pressed", "1000:clicked", "1000:long-pressed", "1500:released"])
    }

    @Test func heldAtTheBeginningIsNoEvent() {
        #expect(play([(500, false)], isPressed: true) == ["500:released"])
        #expect(play([], isPressed: true).isEmpty)
    }

    @Test func aLostEdgeDoesNoHarm() {
        #expect(
            play([(0, true), (50, true), (100, false), (120, false)]) == ["0:pressed", "100:released", "400:clicked"])
    }
}
