import DeviceModel

/// What the watch over the files has to know after the next start, beside its baseline.
struct IntegrityRecord: Hashable {
    /// What the owner wants to be done about a change; nil: nothing beside what is configured.
    var response: IntegrityResponse?
    /// The window that is open; it ends at the latest when the device boots.
    var window: Window?
    /// Whether people were told last that files are not as approved.
    var isChanged = false

    /// A time in which changes are collected.
    struct Window: Hashable {
        var boot: BootID
        var end: MonotonicTime
    }

    init() {}

    /// - Parameter text: The text of a file; nil for any other text.
    init?(_ text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            switch (words.first, words.count) {
            case ("response", 2):
                guard let value = IntegrityResponse(rawValue: String(words[1])) else { return nil }
                response = value
            case ("window", 3):
                guard let boot = BootID(text: words[1]), let end = Int64(words[2]) else { return nil }
                window = Window(boot: boot, end: MonotonicTime(nanoseconds: end))
            case ("changed", 1): isChanged = true
            case ("end", 1): return
            default: return nil
            }
        }
        return nil  // without its last line it was cut
    }

    /// The text of its file.
    var text: String {
        var lines: [String] = []
        if let response { lines.append("response \(response.rawValue)") }
        if let window { lines.append("window \(window.boot) \(window.end.nanoseconds)") }
        if isChanged { lines.append("changed") }
        return (lines + ["end\n"]).joined(separator: "\n")
    }
}
