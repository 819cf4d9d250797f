import CLinux
import Foundation
import Testing

/// Promise: code that nobody needs is let go of, and comes back when it is needed.
@Suite struct CodeMemoryTests {
    @Test("What of this process's code is in memory is less afterwards, and the process goes on") func letGo() throws {
        let before = try residentCode()
        clinux_let_go_of_code()
        let after = try residentCode()
        // What it takes to look comes back at once.
        #expect(after < before, "of \(before) kB of code, \(after) kB are left")
        #expect(try residentCode() > 0)
    }

    /// How much of what may be run and not be written is in memory, in kB (`smaps`, proc(5)).
    private func residentCode() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/smaps", encoding: .utf8)
        var (sum, isCode) = (0, false)
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            if words.count > 1, words[1] == "r-xp" || words[1] == "rw-p" || words[1] == "r--p" || words[1] == "---p" {
                isCode = words[1] == "r-xp"
            } else if isCode, words.first == "Rss:" {
                sum += Int(words[1]) ?? 0
            }
        }
        return sum
    }
}
