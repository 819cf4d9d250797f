import Testing

@testable import Terminal

/// Promise: what others wrote commands no terminal, and hides nothing on it.
@Suite struct ForeignWordsTests {
    @Test(
        "Only the colours of our own styles pass, and what ends them",
        arguments: [
            ("\u{1B}[31mbad\u{1B}[0m", "\u{1B}[31mbad\u{1B}[0m"), ("\u{1B}[8mhidden", "\u{FFFD}[8mhidden"),
            ("\u{1B}[7mturned", "\u{FFFD}[7mturned"), ("\u{1B}[mx", "\u{FFFD}[mx"), ("\u{1B}[2J", "\u{FFFD}[2J"),
            ("\u{1B}[031mx", "\u{FFFD}[031mx"), ("a\tb\nc\rd", "a\tb\nc\u{FFFD}d"),
        ])
    func colours(_ text: String, _ shown: String) {
        #expect(text.withoutControls == shown)
    }
}
