public import Components
public import DeviceModel
import HAL

/// What the firmware of a Raspberry Pi has to be told of an output, so that it is safe before any program runs
/// (Raspberry Pi documentation, "GPIO control (gpio)").
public struct BootValue: Hashable, Sendable {
    /// The output.
    public let component: ComponentID
    /// The line of `config.txt`; nil where the firmware does not reach the output.
    public let setting: String?
    /// What it comes to, in words.
    public let remark: String

    /// What the firmware has to be told.
    ///
    /// - Parameters:
    ///   - component: The output.
    ///   - plan: What is driven, and how.
    public init(_ component: ComponentID, _ plan: OutputPlan) {
        self.component = component
        guard let number = plan.line.gpio else {
            setting = nil
            remark = "\(component) is on \(plan.line), which the firmware does not reach: wire a resistor there"
            return
        }
        let safe = plan.rules.safe
        let isHigh = (safe == .active) != plan.isActiveLow
        let pull =
            switch plan.bias {
            case .pullUp: ",pu"
            case .pullDown: ",pd"
            case .disabled: ",pn"
            case .asIs: ""
            }
        setting = "gpio=\(number)=op,\(isHigh ? "dh" : "dl")\(pull)"
        remark = "\(component): safe is \(safe.onOff), which is \(isHigh ? "high" : "low")"
    }

    /// The lines for `config.txt`.
    public var lines: [String] { ["# \(remark)", setting].compactMap(\.self) }
}

/// The `config.txt` of a Raspberry Pi, as far as it is for every model (Raspberry Pi documentation, "Conditional
/// filters").
public struct BootConfiguration: Hashable, Sendable {
    /// The settings that hold on every model, in their order.
    public let settings: [String]

    /// Reads the text of a file.
    public init(_ text: String) {
        var isForAll = true
        var settings: [String] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.prefix { $0 != "#" }.filter { !$0.isWhitespace }
            if words.hasPrefix("[") {
                isForAll = words == "[all]"
            } else if isForAll, !words.isEmpty {
                settings.append(words)
            }
        }
        self.settings = settings
    }

    /// Whether a boot value holds: the last word on its line decides.
    public func has(_ value: BootValue) -> Bool {
        guard let setting = value.setting, let end = setting.lastIndex(of: "=") else { return false }
        return settings.last { $0.hasPrefix(setting[...end]) } == setting
    }
}
