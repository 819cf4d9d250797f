import DeviceModel
import HAL
import Testing

@Suite struct LineDirectoryTests {
    /// A Pi 4 with a mainline kernel, whose lines carry the names of their other jobs, and an expander.
    private let pi = LineDirectory([
        .init(
            name: "gpiochip0", label: "pinctrl-bcm2711",
            lineNames: (0...57).map { $0 == 2 ? "SDA1" : $0 == 17 ? "GPIO17" : $0 == 4 ? "RELAY" : "" }),
        .init(name: "gpiochip1", label: "raspberrypi-exp-gpio", lineNames: ["BT_ON", "RELAY"]),
    ])

    @Test func aUniqueNameIsTheLine() throws {
        #expect(try pi.find(.name("GPIO17")) == .init(chip: 0, offset: 17))
        #expect(try pi.find(.name("BT_ON")) == .init(chip: 1, offset: 0))
    }

    @Test func elseTheNumberOnTheHeadersChip() throws {
        #expect(try pi.find(.name("GPIO2")) == .init(chip: 0, offset: 2))
        #expect(try pi.find(.pin(3)) == .init(chip: 0, offset: 2))
        #expect(try pi.find(.pin(11)) == .init(chip: 0, offset: 17))
    }

    @Test(arguments: ["pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"])
    func theHeadersChipIsFoundByItsLabel(label: String) throws {
        let directory = LineDirectory([
            .init(name: "gpiochip0", label: "other", lineNames: [String](repeating: "", count: 32)),
            .init(name: "gpiochip4", label: label, lineNames: [String](repeating: "", count: 54)),
        ])
        #expect(try directory.find(.name("GPIO17")) == .init(chip: 1, offset: 17))
    }

    @Test func aChipAndAnOffset() throws {
        #expect(try pi.find(.chip("raspberrypi-exp-gpio", offset: 1)) == .init(chip: 1, offset: 1))
    }

    private func error(_ reference: LineReference, in directory: LineDirectory? = nil) -> HALError? {
        do {
            _ = try (directory ?? pi).find(reference)
            return nil
        } catch {
            return error
        }
    }

    @Test func aNameThatExistsTwiceListsBoth() {
        let error = error(.name("RELAY"))
        #expect(error?.kind == .ambiguous)
        #expect(error?.description.contains("pinctrl-bcm2711 offset 4") == true)
        #expect(error?.description.contains("raspberrypi-exp-gpio offset 1") == true)
    }

    @Test func whatDoesNotExistSaysWhatToDo() {
        #expect(error(.name("NOPE"))?.description.contains("m2m probe") == true)
        #expect(error(.name("GPIO99"))?.description.contains("0 to 57") == true)
        #expect(error(.chip("gpiochip0", offset: 1))?.description.contains("\"pinctrl-bcm2711\"") == true)
        #expect(error(.chip("x", offset: 1))?.description.contains("\"raspberrypi-exp-gpio\"") == true)
        #expect(error(.chip("raspberrypi-exp-gpio", offset: 2))?.kind == .absent)
        #expect(error(.name("GPIO17"), in: LineDirectory([]))?.description.contains("no Raspberry Pi header") == true)
    }

    @Test func twoChipsWithOneLabel() {
        let twins = LineDirectory([
            .init(name: "gpiochip0", label: "twin", lineNames: [""]),
            .init(name: "gpiochip1", label: "twin", lineNames: [""]),
        ])
        #expect(error(.chip("twin", offset: 0), in: twins)?.kind == .ambiguous)
    }
}
