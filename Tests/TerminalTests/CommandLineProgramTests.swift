import ArgumentParser
import DeviceModel
import Glibc
import Terminal
import Testing

/// Every program ends with a number that scripts can rely on, and says on standard error what a person can read.
@Suite(.timeLimit(.minutes(1))) struct CommandLineProgramTests {
    /// Every kind of failure with the number that it ends a program with.
    static let codes: [(ErrorCode, Int32)] = [
        (.badRequest, 1), (.notFound, 1), (.notPermitted, 4), (.notAuthenticated, 4), (.refused, 1), (.busy, 1),
        (.conflict, 1), (.expired, 1), (.unreachable, 3), (.untrusted, 1), (.tooLarge, 1), (.unsupported, 1),
        (.systemFailure, 1), (.internalFailure, 1), (ErrorCode(rawValue: "from_a_later_version"), 1),
    ]

    @Test("Failed is 1, not reachable 3, not permitted 4, whatever the failure", arguments: codes)
    func exitStatus(code: ErrorCode, status: Int32) {
        #expect(code.exitStatus.rawValue == status)
    }

    @Test("Done is 0, and a wrong command line 2") func otherStatus() {
        #expect(ExitStatus.done.rawValue == 0)
        #expect(ExitStatus.usage.rawValue == 2)
    }

    // MARK: Programs

    /// Runs a program that ends in some way.
    private static func run(_ ending: Ending) async -> Never {
        setenv(Scripted.variable, ending.rawValue, 1)
        await CommandLineProgram.main(Scripted.self, name: "test")
    }

    private func said(_ result: ExitTest.Result?) -> String {
        String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    }

    private func shown(_ result: ExitTest.Result?) -> String {
        String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
    }

    /// Whether a program said nothing there; the testing library may leave a mark of its own.
    private func isSilent(_ text: String) -> Bool {
        !["test:", "shed", "well", "scripted", "Error", "Usage"].contains { text.contains($0) }
    }

    @Test("A command that comes to its end is done, and its words are on standard output") func done() async {
        let result = await #expect(
            processExitsWith: .exitCode(0), observing: [\.standardOutputContent, \.standardErrorContent]
        ) { await Self.run(.done) }
        #expect(shown(result) == "all is well\n")
        #expect(isSilent(said(result)))
    }

    @Test("A failure ends the program with its number and one line on standard error") func failed() async {
        let result = await #expect(
            processExitsWith: .exitCode(1), observing: [\.standardOutputContent, \.standardErrorContent]
        ) { await Self.run(.refused) }
        #expect(said(result) == "test: the shed is locked\n")
        #expect(isSilent(shown(result)))
    }

    @Test("Who can't be reached ends it with 3") func unreachable() async {
        await #expect(processExitsWith: .exitCode(3)) { await Self.run(.unreachable) }
    }

    @Test("Who may not ends it with 4, as does who is not logged in") func notPermitted() async {
        await #expect(processExitsWith: .exitCode(4)) { await Self.run(.notPermitted) }
        await #expect(processExitsWith: .exitCode(4)) { await Self.run(.notAuthenticated) }
    }

    @Test("When everything has been said nothing more is") func programExit() async {
        let result = await #expect(
            processExitsWith: .exitCode(3), observing: [\.standardOutputContent, \.standardErrorContent]
        ) { await Self.run(.silent) }
        #expect(isSilent(said(result)))
        #expect(isSilent(shown(result)))
    }

    @Test("A failure that explains nothing is still a failure, in whatever words it has") func mishap() async {
        let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
            await Self.run(.mishap)
        }
        #expect(said(result) == "test: Mishap()\n")
    }

    @Test("A command line that makes no sense ends it with 2, and says how it is used") func usage() async {
        let result = await #expect(
            processExitsWith: .exitCode(2), observing: [\.standardOutputContent, \.standardErrorContent]
        ) { await Self.run(.usage) }
        #expect(said(result).hasPrefix("Error: say which shed"))
        #expect(said(result).contains("Usage: scripted"))
        #expect(isSilent(shown(result)))
        await #expect(processExitsWith: .exitCode(2)) {
            await CommandLineProgram.main(Demanding.self, name: "test")
        }
    }

    @Test("Help that was asked for is no failure, and is on standard output") func help() async {
        let result = await #expect(
            processExitsWith: .exitCode(0), observing: [\.standardOutputContent, \.standardErrorContent]
        ) { await Self.run(.help) }
        #expect(shown(result).contains("USAGE: scripted"))
        #expect(isSilent(said(result)))
    }

    @Test("A command that waits for nothing ends like any other") func synchronous() async {
        let result = await #expect(processExitsWith: .exitCode(4), observing: [\.standardErrorContent]) {
            await CommandLineProgram.main(Plain.self, name: "test")
        }
        #expect(said(result) == "test: the shed is locked\n")
    }
}

/// The ways in which a program can end.
private enum Ending: String {
    case done, refused, unreachable, notPermitted, notAuthenticated, silent, mishap, usage, help
}

/// A failure as the parts of a program throw it.
private struct Problem: ExplainedError {
    let code: ErrorCode
    var resource: String { "" }
    var description: String { "the shed is locked" }
}

/// Something that explains nothing.
private struct Mishap: Error {}

/// A command that takes whatever arguments the test runner has, and ends as the environment says.
private struct Scripted: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "scripted")
    static let variable = "M2M_TEST_ENDING"

    @Argument(parsing: .captureForPassthrough) var rest: [String] = []

    func run() async throws {
        let ending = getenv(Self.variable).flatMap { Ending(rawValue: String(cString: $0)) }
        switch try #require(ending) {
        case .done: Output.line("all is well")
        case .refused: throw Problem(code: .refused)
        case .unreachable: throw Problem(code: .unreachable)
        case .notPermitted: throw Problem(code: .notPermitted)
        case .notAuthenticated: throw Problem(code: .notAuthenticated)
        case .silent: throw ProgramExit(.notReachable)
        case .mishap: throw Mishap()
        case .usage: throw ValidationError("say which shed")
        case .help: throw CleanExit.helpRequest()
        }
    }
}

/// A command that takes whatever arguments the test runner has, and does not wait.
private struct Plain: ParsableCommand {
    @Argument(parsing: .captureForPassthrough) var rest: [String] = []

    func run() throws { throw Problem(code: .notPermitted) }
}

/// A command that wants a number and gets whatever arguments the test runner has.
private struct Demanding: ParsableCommand {
    @Argument var number: Int
}
