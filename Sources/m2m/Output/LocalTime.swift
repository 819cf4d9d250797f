import DeviceModel
import Glibc

/// Times as people read them: in their own time zone.
enum LocalTime {
    /// The time today, or the day and the time.
    static func text(_ wall: WallTime) -> String {
        let today = format(time(nil), "%Y-%m-%d")
        let seconds = time_t(wall.nanoseconds / 1_000_000_000)
        return format(seconds, "%Y-%m-%d") == today ? format(seconds, "%H:%M:%S") : format(seconds, "%Y-%m-%d %H:%M:%S")
    }

    private static func format(_ seconds: time_t, _ pattern: String) -> String {
        var seconds = seconds
        var parts = tm()
        localtime_r(&seconds, &parts)
        var buffer = [CChar](repeating: 0, count: 64)
        let count = strftime(&buffer, buffer.count, pattern, &parts)
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
