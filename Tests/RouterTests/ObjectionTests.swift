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
        "What another router has written down is held against the device in its words",
        arguments: ["its baseline was replaced", "older", "older 2", "older x 3", "lost 1"])
    func unknown(text: String) {
        #expect(Objection(rawValue: text) == .other(text))
        #expect(Objection.other(text).rawValue == text)
        #expect(Objection.other(text).words == text)
    }

    @Test("A release is told from an account", arguments: ["ada", "release m2m 0.2.0"])
    func approver(text: String) {
        let approver = DeviceFiles.Approver(text)
        #expect(approver.description == text)
        #expect(approver == (text == "ada" ? .owner("ada") : .release("m2m 0.2.0")))
    }
}
