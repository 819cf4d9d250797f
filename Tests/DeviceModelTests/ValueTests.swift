import DeviceModel
import TestSupport
import Testing

@Suite struct QuantityTests {
    @Test(arguments: [
        (Quantity.temperature, "21.5 °C", 294.65), (.temperature, "0 K", 0), (.temperatureDifference, "-0.3 °C", -0.3),
        (.pressure, "0.1 hPa", 10), (.pressure, "1 bar", 100_000), (.length, "212 m", 212), (.length, "15cm", 0.15),
        (.ratio, "50 %", 0.5), (.duration, "30m", 1_800), (.information, "64 MiB", 67_108_864),
    ])
    func readsUnits(quantity: Quantity, text: String, value: Double) throws {
        #expect(abs(try #require(quantity.parse(text)) - value) < 1e-9)
    }

    @Test(arguments: ["", "21", "21 °F", "°C", "1e999 K", "nan K"])
    func refusesWhatIsNoTemperature(text: String) {
        #expect(Quantity.temperature.parse(text) == nil)
    }

    @Test(arguments: Quantity.allCases)
    func displayAndBackIsTheSame(quantity: Quantity) {
        for value in [0.25, 1, 294.61, 100_653.258] {
            #expect(abs(quantity.display.toSI(quantity.display.fromSI(value)) - value) < 1e-9)
        }
    }

    @Test func peopleSeeTheirUnitsRounded() {
        #expect(Value.number(298.234).text(of: .temperature) == "25.08 °C")
        #expect(Value.number(100_653.258).text(of: .pressure) == "1006.53 hPa")
        #expect(Value.number(0.4567).text(of: .ratio) == "45.7 %")
        #expect(Value.number(273.149).text(of: .temperature) == "0.00 °C")
        #expect(Value.boolean(false).text(of: nil) == "false")
        #expect(Value.text("").text(of: nil) == "")
        #expect(Value.number(294.61).displayed(as: .temperature) == .number(21.46))
        #expect(Value.integer(0).displayed(as: nil) == .integer(0))
    }

    @Test func numbersAreWrittenWithSoManyDigits() {
        #expect(fixed(-0.5, decimals: 0) == "-1" || fixed(-0.5, decimals: 0) == "0")
        #expect(fixed(-1.005, decimals: 1) == "-1.0")
        #expect(fixed(0.05, decimals: 2) == "0.05")
        #expect(fixed(.infinity, decimals: 2) == "inf")
        #expect(fixed(1e300, decimals: 2) == "1e+300")
    }

    @Test func typedTextsBecomeValues() {
        #expect(Value(typed: "2s", as: .number, of: .duration) == .number(2))
        #expect(Value(typed: "2", as: .number, of: .duration) == .number(2))
        #expect(Value(typed: "20", as: .number, of: .temperature) == .number(293.15))
        #expect(Value(typed: "off", as: .boolean, of: nil) == .boolean(false))
        #expect(Value(typed: "0", as: .integer, of: nil) == .integer(0))
        #expect(Value(typed: "", as: .text, of: nil) == .text(""))
        #expect(Value(typed: "maybe", as: .boolean, of: nil) == nil)
        #expect(Value(typed: "inf", as: .number, of: nil) == nil)
    }
}

@Suite struct JSONObjectTests {
    @Test func keepsTheOrderAndEscapes() {
        var object = JSONObject()
        object.add("z", "a \"quote\"\n\u{1}")
        object.add("a", Value.boolean(false))
        object.add("n", Value.number(21.46))
        object.add("whole", Value.number(1_013))
        object.add("none", Value?.none)
        object.add("bad", Double.nan)
        object.add("empty", "")
        object.add("list", ["°C"])
        #expect(
            object.text == #"{"z":"a \"quote\"\n\u0001","a":false,"n":21.46,"whole":1013,"none":null,"bad":null,"#
                + #""empty":"","list":["°C"]}"#)
    }
}

@Suite struct CommandCheckTests {
    private let relay = ComponentDescription(
        id: "heater", model: "relay",
        actions: [
            ActionDescription("on", "on"),
            ActionDescription(
                "pulse", "pulse",
                parameters: [
                    ParameterDescription(
                        "duration", "for", type: .number, quantity: .duration, range: 0.01...3_600)
                ]),
        ])

    @Test func acceptsWhatFits() throws {
        #expect(try relay.check(action: "on", parameters: [:]).isEmpty)
        #expect(try relay.check(action: "pulse", parameters: ["duration": .integer(2)]) == ["duration": .number(2)])
    }

    @Test(
        arguments: [
            ("of", [:], "has no action 'of'; it has on, pulse"), ("on", ["x": .integer(1)], "takes no parameter 'x'"),
            ("pulse", [:], "needs duration="), ("pulse", ["duration": .text("2s")], "needs a duration"),
            ("pulse", ["duration": .number(7_200)], "from 0.010 s to 3600.000 s"),
            ("pulse", ["duration": .number(.nan)], "needs a duration"),
        ] as [(String, [String: Value], String)])
    func saysWhatDoesNot(action: String, parameters: [String: Value], words: String) {
        #expect {
            _ = try relay.check(action: action, parameters: parameters)
        } throws: { error in
            error.explanation.contains(words)
        }
    }
}
