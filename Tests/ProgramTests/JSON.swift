import Foundation
import TestSupport

/// A line of JSON, as a program that is not ours reads it.
enum JSON: Hashable, Sendable {
    case null
    case boolean(Bool)
    case number(Double)
    case text(String)
    case list([JSON])
    case object([String: JSON])

    /// Reads a line.
    ///
    /// - Throws: ``HarnessError`` when it is no JSON object.
    init(_ line: String) throws {
        guard let value = try? JSONSerialization.jsonObject(with: Data(line.utf8)),  // safe: the line says more
            let object = value as? [String: Any]
        else { throw HarnessError(description: "no JSON object: '\(line)'") }
        self = .object(object.mapValues(JSON.init(any:)))
    }

    private init(any value: Any) {
        switch value {
        case let object as [String: Any]: self = .object(object.mapValues(JSON.init(any:)))
        case let list as [Any]: self = .list(list.map(JSON.init(any:)))
        case let text as String: self = .text(text)
        // A truth value is a number to Foundation, of a type of its own.
        case let number as NSNumber where String(cString: number.objCType) == "c": self = .boolean(number.boolValue)
        case let number as NSNumber: self = .number(number.doubleValue)
        default: self = .null
        }
    }

    /// A field of an object; null where there is none.
    subscript(_ name: String) -> JSON {
        if case .object(let fields) = self { fields[name] ?? .null } else { .null }
    }

    /// The names of an object's fields.
    var keys: Set<String> {
        if case .object(let fields) = self { Set(fields.keys) } else { [] }
    }

    /// A text.
    ///
    /// - Throws: ``HarnessError`` when it is something else.
    var text: String {
        get throws {
            guard case .text(let text) = self else { throw HarnessError(description: "no text: \(self)") }
            return text
        }
    }

    /// A number.
    ///
    /// - Throws: ``HarnessError`` when it is something else.
    var number: Double {
        get throws {
            guard case .number(let number) = self else { throw HarnessError(description: "no number: \(self)") }
            return number
        }
    }

    /// The things in a list.
    var list: [JSON] {
        if case .list(let list) = self { list } else { [] }
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral {
    init(stringLiteral text: String) { self = .text(text) }
    init(booleanLiteral boolean: Bool) { self = .boolean(boolean) }
}

extension JSON: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    init(floatLiteral number: Double) { self = .number(number) }
    init(integerLiteral number: Int) { self = .number(Double(number)) }
}

extension Outcome {
    /// What was said on standard output, as JSON.
    var json: [JSON] {
        get throws { try output.map { line in try JSON(line) } }
    }
}

extension Lines {
    /// Waits for the next line of JSON of a kind.
    @discardableResult
    func nextJSON(_ what: String, where isIt: @escaping @Sendable (JSON) -> Bool) async throws -> JSON {
        try JSON(await next(what) { (try? JSON($0)).map(isIt) ?? false })  // safe: other lines are passed over
    }
}
