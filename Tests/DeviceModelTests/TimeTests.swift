import DeviceModel
import Testing

@Suite struct DurationTextTests {
    @Test(arguments: [
        ("20ms", Duration.milliseconds(20)), ("2s", .seconds(2)), ("1.5 h", .seconds(5_400)), ("30m", .seconds(1_800)),
        ("30 min", .seconds(1_800)), ("1d", .seconds(86_400)), ("250us", .microseconds(250)), ("0s", .zero),
        ("-3s", .seconds(-3)),
    ])
    func readsWhatPeopleWrite(text: String, duration: Duration) {
        #expect(Duration(text: text) == duration)
    }

    @Test(arguments: ["", "2", "s", "2 fortnights", "1e400s", "nan s", "2s3", "999999999999d", "--1s"])
    func refusesEverythingElse(text: String) {
        #expect(Duration(text: text) == nil)
    }

    @Test(arguments: ["0s", "20ms", "90s", "30m", "36h", "7d", "1500ms", "250us"])
    func writesWhatItReads(text: String) throws {
        #expect(try #require(Duration(text: text)).text == text)
    }

    @Test(arguments: [
        (Duration.zero, Int64(0)), (.seconds(2), 2_000), (.microseconds(1_999), 1), (.microseconds(-1_999), -1),
        (.seconds(Int64.max), Int64.max / 1_000_000),
    ])
    func countsWholeMilliseconds(duration: Duration, milliseconds: Int64) {
        #expect(duration.milliseconds == milliseconds)
    }
}

@Suite struct ClockArithmeticTests {
    @Test func endsOfTheClockAreNoTrap() {
        let (first, last) = (MonotonicTime(nanoseconds: .min), MonotonicTime(nanoseconds: .max))
        #expect(last + .seconds(1) == last)
        #expect(first - .seconds(1) == first)
        #expect((last - first).nanoseconds == .max)
        #expect((first - last).nanoseconds == .min)
        #expect(Duration.seconds(Int64.max).nanoseconds == .max)
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000Z"),
        (1_795_248_000_123_456_789, "2026-11-21T08:00:00.123Z"),
        (951_782_399_999_999_999, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z"),
        (-1_000_000, "1969-12-31T23:59:59.999Z"),
        (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000Z"),
    ])
    func datesAreThoseOfTheCalendar(nanoseconds: Int64, text: String) {
        #expect(WallTime(nanoseconds: nanoseconds).rfc3339 == text)
    }

    @Test func extremeDatesAreNoTrap() {
        #expect(WallTime(nanoseconds: .min).rfc3339.hasPrefix("1677-"))
        #expect(WallTime(nanoseconds: .max).rfc3339.hasPrefix("2262-"))
    }
}

@Suite struct SystemTimeTests {
    @Test func runsOnAndKnowsItsBoot() throws {
        let time = try SystemTime()
        let first = time.now
        #expect(time.now >= first)
        #expect(time.boot == (try SystemTime()).boot)
        #expect(time.wall > WallTime(nanoseconds: 1_700_000_000_000_000_000))
    }

    @Test func pastDeadlinesDoNotWait() async throws {
        let time = try SystemTime()
        try await time.sleep(until: MonotonicTime(nanoseconds: 0))
    }

    @Test func aTimeStampOfAnEarlierMomentMovesBothClocks() throws {
        let time = try SystemTime()
        let now = time.timestamp
        let earlier = time.timestamp(at: now.monotonic - .seconds(10))
        let difference = now.wall.nanoseconds - earlier.wall.nanoseconds
        #expect(abs(difference - 10_000_000_000) < 1_000_000_000)
    }
}
