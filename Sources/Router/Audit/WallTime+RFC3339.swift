import DeviceModel

extension WallTime {
    /// - Parameter text: A point as `rfc3339` writes it, in the years 1678 to 2261; nil for anything else.
    init?(rfc3339 text: String) {
        guard text.utf8.count == 24 else { return nil }  // so that no number in it is too big to be counted with
        let parts = text.utf8.split(whereSeparator: { !(0x30...0x39).contains($0) }).map { digits in
            digits.reduce(Int64(0)) { $0 &* 10 &+ Int64($1 - 0x30) }
        }
        guard parts.count == 7, (1678...2261).contains(parts[0]) else { return nil }
        // The proleptic Gregorian calendar, counted in eras of 400 years that begin on 1 March.
        let (year, month) = (parts[1] <= 2 ? parts[0] - 1 : parts[0], (parts[1] + 9) % 12)
        let (era, yearOfEra) = (year / 400, year % 400)
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + (153 * month + 2) / 5 + parts[2] - 1
        let days = era * 146_097 + dayOfEra - 719_468  // days from 0000-03-01 to 1970-01-01
        let seconds = ((days * 24 + parts[3]) * 60 + parts[4]) * 60 + parts[5]
        let (nanoseconds, overflow) = (seconds * 1_000 + parts[6]).multipliedReportingOverflow(by: 1_000_000)
        self.init(nanoseconds: nanoseconds)
        guard !overflow, rfc3339 == text else { return nil }
    }
}
