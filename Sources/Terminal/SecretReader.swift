public import DeviceModel
import Glibc

/// Reads passwords and codes: from a prompt that shows nothing, or line by line where standard input is no terminal.
///
/// Never from the command line, where everybody on the machine could read them.
public enum SecretReader {
    /// Whether a person sits at the other end of standard input.
    public static var isInteractive: Bool { isatty(STDIN_FILENO) == 1 }

    /// Reads a secret.
    ///
    /// - Parameters:
    ///   - prompt: What the person is asked for.
    ///   - isNew: Whether the person chooses it now: then it is asked for twice.
    /// - Returns: The secret.
    /// - Throws: ``InputError`` when there is none, or the two are not the same.
    public static func read(_ prompt: String, isNew: Bool = false) throws(InputError) -> String {
        guard isInteractive else {
            guard let line = readLine() else {
                throw InputError("\(prompt.lowercased()) is missing: give it as a line on standard input")
            }
            return line
        }
        let secret = try ask("\(prompt): ")
        if isNew, try ask("\(prompt) again: ") != secret {
            throw InputError("the two are not the same; nothing was changed")
        }
        return secret
    }

    /// Asks a question whose answer everybody may see.
    ///
    /// - Parameter question: The question.
    /// - Returns: The answer; empty where there is none.
    public static func answer(_ question: String) -> String {
        Output.ask("\(question) ")
        return readLine() ?? ""
    }

    private static func ask(_ prompt: String) throws(InputError) -> String {
        var settings = termios()
        let isTerminal = tcgetattr(STDIN_FILENO, &settings) == 0
        let before = settings
        if isTerminal {
            settings.c_lflag &= ~tcflag_t(ECHO)
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
        }
        Output.ask(prompt)
        let line = readLine()
        if isTerminal {
            var before = before
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
        }
        Output.error("")
        guard let line else { throw InputError("nothing was typed; nothing was changed") }
        return line
    }
}

/// What was typed can't be used.
public struct InputError: ExplainedError, Hashable {
    /// Why not, in words.
    public let description: String

    init(_ description: String) {
        self.description = description
    }

    /// Always a bad request.
    public var code: ErrorCode { .badRequest }
    /// What was typed.
    public var resource: String { "standard input" }
}
