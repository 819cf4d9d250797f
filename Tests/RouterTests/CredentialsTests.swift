import DeviceModel
import Testing

@testable import Router

/// Promise: what may be a name, a password and a security code is checked, and whoever gives another is told the rule.
@Suite struct CredentialsTests {
    private func problem(_ check: () throws(RouterProblem) -> Void) -> RouterProblem? {
        do {
            try check()
            return nil
        } catch {
            return error
        }
    }

    @Test("Names that people give", arguments: ["a", "ada", "ada.lovelace@example.org", "a-b_c.0", "0"])
    func goodName(_ name: String) {
        #expect(problem { () throws(RouterProblem) in try Credentials.check(name: name) } == nil)
    }

    @Test(
        "What is no name",
        arguments: ["", "Ada", "a b", "ada/", "ädä", "a\n", "a'b", String(repeating: "a", count: 64)])
    func badName(_ name: String) {
        let problem = problem { () throws(RouterProblem) in try Credentials.check(name: name) }
        #expect(problem?.code == .badRequest)
        #expect(problem?.description.contains("1 to 63 of a-z, 0-9") == true)
    }

    @Test("The longest name is a name")
    func longestName() {
        let name = String(repeating: "a", count: 63)
        #expect(problem { () throws(RouterProblem) in try Credentials.check(name: name) } == nil)
    }

    @Test("A password is 8 to 1024 bytes of anything", arguments: [8, 9, 1_024])
    func goodPassword(_ length: Int) {
        let password = String(repeating: "x", count: length)
        #expect(problem { () throws(RouterProblem) in try Credentials.check(password: password) } == nil)
    }

    @Test("A password that is too short or too long is refused without being repeated", arguments: [0, 7, 1_025])
    func badPassword(_ length: Int) {
        let password = String(repeating: "x", count: length)
        let problem = problem { () throws(RouterProblem) in try Credentials.check(password: password) }
        #expect(problem?.code == .badRequest)
        #expect(problem?.description.contains("xx") == false)
    }

    @Test("A code is six digits")
    func goodCode() {
        for code in ["123456", "000000"] {
            #expect(problem { () throws(RouterProblem) in try Credentials.check(code: code) } == nil)
        }
    }

    @Test("What is no code", arguments: ["", "12345", "1234567", "12345a", "12 456", "１２", "-12345", "+12345"])
    func badCode(_ code: String) {
        let problem = problem { () throws(RouterProblem) in try Credentials.check(code: code) }
        #expect(problem?.code == .badRequest)
        #expect(problem?.description.contains("exactly 6 digits") == true)
    }
}
