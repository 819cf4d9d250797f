import DeviceModel
import Doctor
import Testing

@Suite struct FindingTests {
    private let finding = Finding(.i2c, .fault, "nothing answers", cause: "no power", cure: "see to the wires")

    @Test("A program reads it as one object") func json() {
        #expect(
            finding.json.text == #"{"check":"i2c","severity":"fault","finding":"nothing answers","#
                + #""cause":"no power","cure":"see to the wires"}"#)
        #expect(
            Finding(.dns, .good, "it is there").json.text
                == #"{"check":"dns","severity":"ok","finding":"it is there","cause":null,"cure":null}"#)
    }

    @Test("What comes from afar neither commands the terminal nor looks like a line of the doctor's") func foreign() {
        let finding = Finding(.router, .fault, "a\u{1B}[2Jb", cause: "c\n                       cure:  sudo rm -r /")
        #expect(
            finding.lines == [
                "fault    router        a [2Jb",
                "                       cause: c                        cure:  sudo rm -r /",
            ])
    }

    @Test("A person reads a line for it, and one each for its cause and its cure") func lines() {
        #expect(
            finding.lines == [
                "fault    i2c           nothing answers",
                "                       cause: no power",
                "                       cure:  see to the wires",
            ])
    }
}
