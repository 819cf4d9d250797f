import Testing

@testable import Router

@Suite struct ObjectionTests {
    @Test(
        "What is held against a device is kept as it is",
        arguments: [
            Objection.isSilent, .notTheFirst, .isLost, .isOlder(2, than: 3), .isNewer(.max, than: 3), .isReplaced,
            .foreignWindow, .foreignRelease,
        ])
    func kept(objection: Objection) {
        #expect(Objection(rawValue: objection.rawValue) == objection)
    }

    @Test(
        "Nothing is made of what is no objection", arguments: ["", "older", "older 2", "older x 3", "lost 1", "else"])
    func unknown(text: String) {
        #expect(Objection(rawValue: text) == nil)
    }

    @Test("A release is told from an account", arguments: ["ada", "release m2m 0.2.0"])
    func approver(text: String) {
        let approver = DeviceFiles.Approver(text)
        #expect(approver.description == text)
        #expect(approver == (text == "ada" ? .owner("ada") : .release("m2m 0.2.0")))
    }
}
