import DeviceModel
import Glibc
import TestSupport
import Testing

@testable import Terminal

/// A secret is never shown, and comes from a terminal, or line by line from where standard input is none.
///
/// Standard input belongs to the whole process: hence processes of their own.
@Suite(.timeLimit(.minutes(1))) struct SecretReaderTests {
    /// Makes a text standard input.
    private static func give(_ text: String) throws {
        let folder = try TemporaryDirectory()
        let file = open(try folder.write("in", text), O_RDONLY)
        try #require(dup2(file, STDIN_FILENO) == STDIN_FILENO)
    }

    /// Makes a terminal standard input, with a person at it.
    private static func sit(_ answers: (question: String, answer: String)...) throws -> (PseudoTerminal, Person) {
        let terminal = try PseudoTerminal()
        try terminal.takeOver()
        return (terminal, Person(at: terminal, answers))
    }

    @Test("At a terminal a secret is not shown, and what is typed afterwards is again") func hidden() async {
        await #expect(processExitsWith: .success) {
            let (terminal, person) = try Self.sit(("Password: ", "correct horse\n"))
            #expect(SecretReader.isInteractive)
            #expect(terminal.echoes)
            #expect(try SecretReader.read("Password") == "correct horse")
            let (shown, wasEchoed) = person.leave()
            #expect(shown == "Password: \r\n")
            #expect(!wasEchoed)
            #expect(terminal.echoes)
        }
    }

    @Test("A secret that is chosen is asked for twice") func twice() async {
        await #expect(processExitsWith: .success) {
            let (_, person) = try Self.sit(("Password: ", "correct horse\n"), ("Password again: ", "correct horse\n"))
            #expect(try SecretReader.read("Password", isNew: true) == "correct horse")
            let (shown, wasEchoed) = person.leave()
            #expect(!shown.contains("horse"))
            #expect(!wasEchoed)
        }
    }

    @Test("Two that are not the same are an error, and nothing was changed") func different() async {
        await #expect(processExitsWith: .success) {
            let (terminal, person) = try Self.sit(("Password: ", "one\n"), ("Password again: ", "other\n"))
            let error = #expect(throws: InputError.self) { try SecretReader.read("Password", isNew: true) }
            #expect(error?.description == "the two are not the same; nothing was changed")
            _ = person.leave()
            #expect(terminal.echoes)
        }
    }

    @Test("Nothing typed at all is an error, and the terminal is as it was") func nothing() async {
        await #expect(processExitsWith: .success) {
            let (terminal, person) = try Self.sit(("Security code: ", "\u{4}"))  // Ctrl-D: the end of the input
            let error = #expect(throws: InputError.self) { try SecretReader.read("Security code") }
            #expect(error?.description == "nothing was typed; nothing was changed")
            #expect(error?.code == .badRequest)
            _ = person.leave()
            #expect(terminal.echoes)
        }
    }

    @Test("Without a terminal secrets are lines of standard input, asked for once each") func lines() async {
        await #expect(processExitsWith: .success) {
            try Self.give("correct horse\n123456\n")
            #expect(!SecretReader.isInteractive)
            #expect(try SecretReader.read("Password", isNew: true) == "correct horse")
            #expect(try SecretReader.read("Security code") == "123456")
            let error = #expect(throws: InputError.self) { try SecretReader.read("Security code") }
            #expect(error?.description == "security code is missing: give it as a line on standard input")
        }
    }

    @Test("A last line without an end is a line, and an empty one is empty") func lastLine() async {
        await #expect(processExitsWith: .success) {
            try Self.give("\nGewächshaus")
            #expect(try SecretReader.read("Password") == "")
            #expect(try SecretReader.read("Password") == "Gewächshaus")
        }
    }

    @Test("A question whose answer everybody may see is answered by a line, or by nothing") func answers() async {
        await #expect(processExitsWith: .success) {
            try Self.give("yes\n")
            #expect(SecretReader.answer("Go on?") == "yes")
            #expect(SecretReader.answer("Go on?") == "")
        }
    }
}
