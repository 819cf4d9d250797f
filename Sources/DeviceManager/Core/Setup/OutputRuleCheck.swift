import Components
import ConfigurationSchema
import DeviceModel
import HAL

/// Finds what is wrong between the rules of several outputs, and between them and the rest of the file.
struct OutputRuleCheck {
    /// A component, whether it moves an output or not.
    struct Entry {
        var id: ComponentID
        /// Where its table begins.
        var header: Position
        /// What becomes of it; nil when something in its table is wrong.
        var plan: ComponentPlan?
        /// Whether it moves an output, and its table does not say what happens without the router.
        var lacksLinkRule: Bool
    }

    /// The key that says what happens without the router.
    static let linkRule = "on_link_lost"

    let hasRouter: Bool
    let components: [Entry]

    func check(_ findings: inout Findings) {
        for entry in components {
            // That does not wait until the rest of the table is right.
            if hasRouter, entry.lacksLinkRule, findings.isMistake(missing: Self.linkRule) {
                findings.add(
                    at: entry.header,
                    "'\(Self.linkRule)' is missing in [components.\(entry.id)], and there is a [router]: "
                        + "{ after = \"30s\", do = \"safe\" } or { do = \"hold\" }")
            }
            guard let rules = entry.plan?.output?.rules else { continue }
            for other in rules.interlock.sorted(by: { $0.rawValue < $1.rawValue }) {
                if let mistake = mistake(between: entry.id, rules, and: other) {
                    findings.add(at: entry.header, mistake)
                }
            }
        }
    }

    private func mistake(between id: ComponentID, _ rules: OutputRules, and other: ComponentID) -> String? {
        let place = "[components.\(id)] has an interlock with"
        guard other != id else { return "\(place) itself" }
        guard let partner = components.first(where: { $0.id == other }) else {
            let known = components.filter { $0.id != id && $0.plan?.output != nil }.map(\.id.rawValue)
            return "\(place) '\(other)', which does not exist\(suggestion(for: other.rawValue, among: known))"
        }
        // Where something in its table is wrong, that is said there.
        guard let plan = partner.plan else { return nil }
        guard let output = plan.output else { return "\(place) '\(other)', which is no output" }
        switch (rules.safe, output.rules.safe) {
        case (.active, .active): return "\(place) '\(other)', and both are safe \"on\": they would be on together"
        case (.active, .inactive), (.inactive, .active):
            return
                "\(place) '\(other)', and one of them is safe \"on\": an interlock needs 'safe' to be \"off\" in both"
        case (.inactive, .inactive): return nil
        }
    }
}
