import Glibc
import TestSupport
import Testing

@testable import Terminal

/// Colours are for a terminal that wants them; what goes into a file or another program has none.
///
/// Standard output belongs to the whole process: hence processes of their own.
@Suite(.timeLimit(.minutes(1))) struct ColourTests {
    /// Makes standard output a terminal.
    private static func becomeTerminal() throws {
        let terminal = try PseudoTerminal()
        try #require(dup2(terminal.slave, STDOUT_FILENO) == STDOUT_FILENO)
    }

    @Test("On a terminal words are set off") func terminal() async {
        await #expect(processExitsWith: .success) {
            unsetenv("NO_COLOR")
            try Self.becomeTerminal()
            #expect(Output.hasColours)
            #expect(Style.good.apply("online") == "\u{1B}[32monline\u{1B}[0m")
            #expect(Style.bad.apply("failed") == "\u{1B}[31mfailed\u{1B}[0m")
            #expect(Style.warning.apply("stale") == "\u{1B}[33mstale\u{1B}[0m")
            #expect(TextTable(["DEVICE"]).lines == ["\u{1B}[2mDEVICE\u{1B}[0m"])
        }
    }

    @Test("In a file they are not") func file() async {
        await #expect(processExitsWith: .success) {
            unsetenv("NO_COLOR")
            let folder = try TemporaryDirectory()
            let file = open(folder.file("out"), O_WRONLY | O_CREAT, 0o600)
            try #require(dup2(file, STDOUT_FILENO) == STDOUT_FILENO)
            #expect(!Output.hasColours)
            #expect(Style.good.apply("online") == "online")
            #expect(TextTable(["DEVICE"]).lines == ["DEVICE"])
        }
    }

    @Test("Who sets NO_COLOR gets none, on a terminal too") func noColour() async {
        await #expect(processExitsWith: .success) {
            try Self.becomeTerminal()
            setenv("NO_COLOR", "1", 1)
            #expect(!Output.hasColours)
            #expect(Style.bad.apply("failed") == "failed")
        }
    }

    @Test("An empty NO_COLOR is none, as no-color.org has it") func emptyNoColour() async {
        await #expect(processExitsWith: .success) {
            try Self.becomeTerminal()
            setenv("NO_COLOR", "", 1)
            #expect(Output.hasColours)
        }
    }

    @Test("When nobody reads any more the program ends, and all is well") func brokenPipe() async {
        await #expect(processExitsWith: .exitCode(0)) {
            signal(SIGPIPE, SIG_IGN)
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            try #require(dup2(ends[1], STDOUT_FILENO) == STDOUT_FILENO)
            close(ends[0])
            Output.line("nobody hears this")
            exit(9)
        }
    }

    @Test("A disk that is full is a failure, not a silence") func fullDisk() async {
        await #expect(processExitsWith: .exitCode(1)) {
            let full = open("/dev/full", O_WRONLY)
            try #require(dup2(full, STDOUT_FILENO) == STDOUT_FILENO)
            Output.line("there is no room for this")
            exit(9)
        }
    }
}
