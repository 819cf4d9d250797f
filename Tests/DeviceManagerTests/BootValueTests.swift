import DeviceManager
import DeviceModel
import Testing

@Suite struct BootValueTests {
    private func heater() throws -> BootValue {
        let text = "[components.heater]\nmodel = \"relay\"\nline = \"GPIO5\"\nactive_low = true\nsafe = \"off\"\n"
        let plan = try #require(try ManagedDevice.configuration(text).components.first)
        return BootValue(plan.id, try #require(plan.output))
    }

    @Test(
        "A setting holds where it is for every model, and is the last word on its line",
        arguments: [
            ("gpio=5=op,dh,pu", true), ("  gpio=5 = op,dh,pu # heater\r\n", true), ("[all]\ngpio=5=op,dh,pu", true),
            ("[pi4]\narm_boost=1\n[all]\ngpio=5=op,dh,pu\n[pi5]\n", true), ("[pi4]\ngpio=5=op,dh,pu", false),
            ("# gpio=5=op,dh,pu", false), ("gpio=5=op,dl", false), ("gpio=5=op,dh,pu\ngpio=5=ip", false),
            ("gpio=5=ip\ngpio=5=op,dh,pu", true), ("gpio=15=op,dh,pu", false), ("", false),
        ])
    func holds(_ text: String, _ holds: Bool) throws {
        #expect(BootConfiguration(text).has(try heater()) == holds)
    }

    @Test("What is printed for a configuration holds once it is in the file") func printed() throws {
        let value = try heater()
        let text = "[pi4]\nfoo=1\n" + (["[all]"] + value.lines).joined(separator: "\n")
        #expect(BootConfiguration(text).has(value))
    }
}
