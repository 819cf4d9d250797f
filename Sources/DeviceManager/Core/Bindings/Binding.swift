import ConfigurationSchema
public import DeviceModel

/// An event of one component that gives a command to another: `on_pressed = "heater toggle"`.
public struct Binding: Hashable, Sendable {
    /// The component to which it happens.
    public var source: ComponentID
    /// What happens.
    public var event: String
    /// The component that gets the command.
    public var target: ComponentID
    /// The command's action.
    public var action: String
    /// The command's parameters, in SI units.
    public var parameters: [String: Value]
}

/// A binding's command as it stands in the configuration: `COMPONENT ACTION [name=value …]`.
struct BindingText: Sendable {
    var target: ComponentID
    var action: String
    var parameters: [(name: String, text: String)]

    /// Reads the text; what the names mean is not looked at yet.
    init(_ text: String) throws(Mistake) {
        let words = text.split(separator: " ").map(String.init)
        guard words.count >= 2, let target = ComponentID(rawValue: words[0]) else {
            throw Mistake("must be a component and its action such as \"heater toggle\", not \"\(text)\"")
        }
        (self.target, action) = (target, words[1])
        parameters = []
        for word in words.dropFirst(2) {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw Mistake("has the parameter \"\(word)\", which must be name=value")
            }
            parameters.append((parts[0], parts[1]))
        }
    }

    /// The binding, when the component and the action exist and the parameters fit.
    func resolve(
        source: ComponentID, event: String, components: [ComponentDescription]
    ) throws(Mistake) -> Binding {
        guard let component = components.first(where: { $0.id == target }) else {
            let hint = suggestion(for: target.rawValue, among: components.map(\.id.rawValue))
            throw Mistake("names the component '\(target)', which does not exist\(hint)")
        }
        guard let action = component.action(action) else {
            let hint = suggestion(for: self.action, among: component.actions.map(\.name))
            throw Mistake("wants \(target) to '\(self.action)', which it can't\(hint)")
        }
        var values: [String: Value] = [:]
        for (name, text) in parameters {
            guard let parameter = action.parameters.first(where: { $0.name == name }) else {
                let hint = suggestion(for: name, among: action.parameters.map(\.name))
                throw Mistake("has the parameter '\(name)', which \(action.name) does not take\(hint)")
            }
            guard let value = Value(typed: text, as: parameter.type, of: parameter.quantity) else {
                throw Mistake("needs \(parameter.expectation) for '\(name)', not \"\(text)\"")
            }
            values[name] = value
        }
        do throws(CommandCheckError) {
            let checked = try component.check(action: action.name, parameters: values)
            return Binding(
                source: source, event: event, target: target, action: action.name, parameters: checked)
        } catch {
            throw Mistake("cannot work: \(error)")
        }
    }
}
