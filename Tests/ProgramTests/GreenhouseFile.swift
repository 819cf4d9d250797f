import Foundation
import TestSupport

/// The files of the device: those of the fixture, with what a test needs otherwise.
enum GreenhouseFile {
    /// A piece of `agent.toml`, and what stands there instead.
    struct Edit: Sendable {
        let piece: String
        let other: String

        /// A piece that is replaced.
        init(_ piece: String, _ other: String) {
            self.piece = piece
            self.other = other
        }

        /// The device has no router.
        static let noRouter = Edit("[router]\nurl = \"wss://127.0.0.1:8443\"\n", "")
        /// The climate sensor reports ten times a second, all that it measures, and it is stored as often.
        static let busy = [
            Edit("interval = \"1s\"", "interval = \"100ms\""),
            Edit(
                "on_change = { temperature = \"0.1 °C\", pressure = \"1 hPa\", sea_level_pressure = \"1 hPa\" }\n", ""),
            Edit("[board]\nkind", "[store]\ncommit_interval = \"100ms\"\n\n[board]\nkind"),
        ]
    }
}

extension Household {
    /// Writes the device's files.
    ///
    /// - Parameters:
    ///   - edits: What is other than in the fixture. The router is this household's.
    ///   - scenario: What happens to the simulated board; nil: what the fixture says.
    /// - Throws: ``HarnessError`` when the fixture has not exactly one such piece.
    func writeDevice(_ edits: [GreenhouseFile.Edit] = [], scenario: String? = nil) throws {
        var text = try Fixture.text("greenhouse/agent.toml")
        for edit in edits {
            guard text.components(separatedBy: edit.piece).count == 2 else {
                throw HarnessError(description: "the greenhouse has not exactly one '\(edit.piece)'")
            }
            text = text.replacingOccurrences(of: edit.piece, with: edit.other)
        }
        if !url.isEmpty { text = text.replacingOccurrences(of: "wss://127.0.0.1:8443", with: url) }
        mkdir(folder.file("greenhouse"), 0o700)
        try folder.write("greenhouse/agent.toml", text)
        try folder.write(
            "greenhouse/greenhouse.scenario.toml",
            scenario ?? Fixture.text("greenhouse/greenhouse.scenario.toml"))
    }
}
