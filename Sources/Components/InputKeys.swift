import ConfigurationSchema
import DeviceModel
import HAL

/// The keys that everything which reads one line has.
enum InputKeys {
    static let line = Key.required(
        "line", .line, "The line: its name, \"GPIO17\", \"pin 11\", or { chip = \"…\", offset = … }.")
    static let biasKind = ValueKind<LineBias>.choice([
        "as-is": .asIs, "disabled": .disabled, "pull-up": .pullUp, "pull-down": .pullDown,
    ])
    static let bias = Key.optional(
        "bias", biasKind, default: .asIs, shown: "\"as-is\"",
        "The resistor that holds the line while nothing drives it.")
    static let activeLow = Key.optional(
        "active_low", .boolean, default: false, shown: "false", "Whether a low voltage means pressed, closed or on.")
    static let debounce = Key.optional(
        "debounce", .duration(.zero...(.seconds(1))), default: .milliseconds(20), shown: "\"20ms\"",
        "For how long the line has to keep still until its new state counts.")

    static var all: [any ConfigurationKey] { [line, bias, activeLow, debounce] }

    static func resources(_ configuration: CheckedTable) -> [BoardResource] {
        configuration.known(line).map { [.line($0)] } ?? []
    }

    static func settings(_ configuration: CheckedTable) -> InputSettings {
        InputSettings(
            bias: configuration[bias], isActiveLow: configuration[activeLow], debounce: configuration[debounce])
    }
}

extension LineEvent {
    /// The new state and its time.
    ///
    /// - Throws: ``HALError`` when the line is gone.
    func edge() throws(HALError) -> (value: LineValue, time: MonotonicTime) {
        switch self {
        case .edge(let value, let time): (value, time)
        case .failed(let error): throw error
        }
    }
}
