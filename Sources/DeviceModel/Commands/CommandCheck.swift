/// What is wrong with a command before anybody tries it.
public struct CommandCheckError: ExplainedError, Hashable {
    /// The kind of mistake.
    public let code: ErrorCode
    /// The component, or the component and its action.
    public let resource: String
    /// The sentence for people.
    public let description: String

    /// A mistake in a command.
    public init(code: ErrorCode, resource: String, description: String) {
        self.code = code
        self.resource = resource
        self.description = description
    }
}

extension ComponentDescription {
    /// Checks a command against what the component says of itself.
    ///
    /// - Parameters:
    ///   - action: The action that is wanted.
    ///   - parameters: Its parameters, in SI units.
    /// - Returns: The parameters, whole numbers turned into numbers where the description wants those.
    /// - Throws: ``CommandCheckError`` with `notFound` for an unknown action and `badRequest` for wrong parameters.
    public func check(
        action: String, parameters: [String: Value]
    ) throws(CommandCheckError) -> [String: Value] {
        guard let description = self.action(action) else {
            throw CommandCheckError(
                code: .notFound, resource: id.rawValue,
                description: actions.isEmpty
                    ? "\(id) takes no commands: a \(model) only reports"
                    : "\(id) has no action '\(action)'; it has \(actions.map(\.name).joined(separator: ", "))")
        }
        var checked: [String: Value] = [:]
        for (name, value) in parameters.sorted(by: { $0.key < $1.key }) {
            guard let parameter = description.parameters.first(where: { $0.name == name }) else {
                throw wrong(action, "takes no parameter '\(name)'\(description.parameterHint)")
            }
            guard let accepted = parameter.accept(value) else {
                throw wrong(action, "needs \(parameter.expectation) for '\(name)'")
            }
            checked[name] = accepted
        }
        for parameter in description.parameters where parameter.isRequired && checked[parameter.name] == nil {
            throw wrong(action, "needs \(parameter.name)=…: \(parameter.expectation)")
        }
        return checked
    }

    private func wrong(_ action: String, _ sentence: String) -> CommandCheckError {
        CommandCheckError(code: .badRequest, resource: "\(id) \(action)", description: "\(id) \(action) \(sentence)")
    }
}

extension ActionDescription {
    fileprivate var parameterHint: String {
        parameters.isEmpty ? "" : "; it takes \(parameters.map(\.name).joined(separator: ", "))"
    }
}

extension ParameterDescription {
    /// The value as this parameter's type, when it is in range.
    fileprivate func accept(_ value: Value) -> Value? {
        let accepted: Value
        switch (type, value) {
        case (.number, .integer(let integer)): accepted = .number(Double(integer))
        case _ where type == value.type: accepted = value
        default: return nil
        }
        if let number = accepted.numeric {
            guard number.isFinite, number >= minimum ?? number, number <= maximum ?? number else { return nil }
        }
        return accepted
    }

    /// What the parameter has to be, in words.
    public var expectation: String {
        let kind =
            switch type {
            case .boolean: "true or false"
            case .integer: "a whole number"
            case .number: quantity.map { "a \($0.words)" } ?? "a number"
            case .text: "a text"
            }
        let bounds = [("from", minimum), ("to", maximum)].compactMap { word, bound in
            bound.map { "\(word) \(Value.number($0).text(of: quantity))" }
        }
        return ([kind] + bounds).joined(separator: " ")
    }
}

extension Quantity {
    /// The quantity as people call it.
    var words: String {
        String(rawValue.map { $0 == "_" ? " " : $0 })
    }
}
