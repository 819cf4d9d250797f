import TestSupport
import Testing

extension ProgramTests {
    /// Promise: every line of `--json` has exactly the fields and types that are documented, so that programs can rely on
    /// them.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct JSONLineTests {
        private static let number = [
            "device": "text", "component": "text", "property": "text", "value": "number", "unit": "text",
            "quality": "text", "time": "time", "epoch": "text", "sequence": "whole",
        ]
        private static let truth = number.filter { $0.key != "unit" }.merging(["value": "boolean"]) { $1 }
        private static let event = [
            "device": "text", "component": "text", "event": "text", "time": "time", "epoch": "text",
            "sequence": "whole",
        ]
        private static let result = [
            "id": "text", "device": "text", "component": "text", "action": "text", "status": "text", "time": "time",
        ]

        private static let device = [
            "device": "text", "label": "text", "state": "text", "last_seen": "time", "missing": "whole",
            "unknown": "whole", "conflicts": "whole",
        ]

        @Test("Through the router: readings, events, results, devices, claim codes and accounts")
        func router() async throws {
            try await Household.open { house in
                _ = try await house.settle()
                let watch = try house.start("m2m", ["watch", "greenhouse", "--json"])
                let device = try await watch.output.nextJSON("device") { $0["state"] == "online" }
                #expect(device.shape == Self.device)
                let temperature = try await watch.output.nextJSON("temperature") { $0["property"] == "temperature" }
                #expect(temperature.shape == Self.number)
                #expect(temperature["unit"] == "°C")
                try house.done(await house.m2m("drive", "GPIO17", "active"))
                let press = try await watch.output.nextJSON("press") { $0["event"] == "pressed" }
                #expect(press.shape == Self.event)
                try await Self.lookBack(house)
                try await Self.ask(house)
            }
        }

        private static func lookBack(_ house: Household) async throws {
            let call = try house.done(await house.m2m("call", "greenhouse/heater", "off", "--json"))
            #expect(try call.json.map(\.shape) == [result])
            let refused = try await house.m2m("call", "greenhouse/heater", "dance", "--json")
            #expect(try refused.json.map(\.shape) == [result.merging(["reason": "text"]) { $1 }])

            let heater = try house.done(await house.m2m("history", "greenhouse/heater", "--json")).json
            let results = heater.filter { $0["action"] == "off" }
            #expect(results.map(\.shape) == [result.merging(["epoch": "text", "sequence": "whole"]) { $1 }])
            let readings = heater.filter { $0["property"] == "on" }
            #expect(readings.count >= 2)
            #expect(readings.allSatisfy { $0.shape == truth })
            let climate = try house.done(await house.m2m("history", "greenhouse/climate", "--json")).json
            #expect(!climate.isEmpty)
            #expect(climate.allSatisfy { $0.shape == number })
            let now = try house.done(await house.m2m("read", "greenhouse/heater.on", "--json")).json
            #expect(now.map(\.shape) == [truth])
        }

        private static func ask(_ house: Household) async throws {
            let devices = try house.done(await house.m2m("devices", "--json"))
            #expect(try devices.json.map(\.shape) == [Self.device])
            let claim = try house.done(await house.m2m("claim", "cottage", "--json"))
            #expect(try claim.json.map(\.shape) == [["device": "text", "code": "text", "expires": "time"]])
            #expect(try claim.json.map { $0["device"] } == ["cottage"])
            let account = try house.done(await house.m2m("whoami", "--json"))
            #expect(try account.json.map(\.shape) == [["user": "text", "place": "text", "expires": "time"]])
            #expect(try account.json.map { $0["user"] } == ["anna"])
        }

        @Test("On the device itself: readings, results, the history, and how the agent is")
        func device() async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                _ = try await house.startAgent()
                let watch = try house.start("m2m", ["watch", "--json"])
                let temperature = try await watch.output.nextJSON("temperature") { $0["property"] == "temperature" }
                #expect(temperature.shape == Self.number)
                let call = try house.done(await house.m2m("call", "heater", "on", "--json"))
                #expect(try call.json.map(\.shape) == [Self.result])
                let history = try house.done(await house.m2m("history", "climate.temperature", "--json"))
                #expect(try history.json.contains(temperature))
                #expect(try history.json.allSatisfy { $0.shape == Self.number })

                let status = try #require(try house.done(await house.m2m("status", "--json")).json.first)
                #expect(status["device"] == "greenhouse")
                #expect(status["link"] == .null)
                #expect(status["store"].shape == ["kept": "whole", "bytes": "whole", "dropped": "whole"])
                let components = status["components"].list
                #expect(components.map { $0["component"] } == ["climate", "switch", "tank", "heater", "host"])
                #expect(components.allSatisfy { $0["state"] == "works" && $0["failures"] == 0.0 })
            }
        }

        @Test("0 and false are values like any other: on the device, at the router, and in the history")
        func nothings() async throws {
            try await Household.open { house in
                _ = try await house.moveIn()
                try house.writeDevice(scenario: "[[chips]]\naddress = 0x76\ntemperature = \"0 °C\"\n")
                try await house.enroll()
                _ = try await house.startAgent()
                let zero = try await house.m2m("read", "greenhouse/climate.temperature", "--json") { !$0.isEmpty }
                #expect(try zero.json.map { $0["value"] } == [0.0])
                let no = try house.done(await house.m2m("read", "greenhouse/heater.on", "--json"))
                #expect(try no.json.map { $0["value"] } == [false])
                #expect(try await house.m2m("read", "climate.temperature", "--json").json.map { $0["value"] } == [0.0])
                #expect(try await house.m2m("read", "heater.on", "--json").json.map { $0["value"] } == [false])
                for address in ["climate.temperature", "greenhouse/climate.temperature"] {
                    let history = try house.done(await house.m2m("history", address, "--json"))
                    #expect(try history.json.map { $0["value"] }.contains(0.0))
                }
            }
        }
    }
}

extension JSON {
    /// The names of the fields of an object, and of what type they are.
    ///
    /// Without `clock`, which is there only where the clock of the device can't be relied on, and says so.
    fileprivate var shape: [String: String] {
        guard case .object(var fields) = self else { return [:] }
        if fields["clock"] == "unsynchronised" { fields["clock"] = nil }
        return Dictionary(
            uniqueKeysWithValues: fields.map { name, value in
                // What is counted is whole; what is measured may be, by chance.
                guard case .number(let number) = value, name != "value" else { return (name, value.type) }
                return (name, number.rounded() == number && number >= 0 ? "whole" : "number")
            })
    }

    private var type: String {
        switch self {
        case .null: "null"
        case .boolean: "boolean"
        case .number: "number"
        case .text(let text) where text.wholeMatch(of: Self.time) != nil: "time"
        case .text: "text"
        case .list: "list"
        case .object: "object"
        }
    }

    /// ISO 8601, in UTC, with milliseconds.
    private static var time: Regex<Substring> {
        /2\d{3}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d\.\d{3}Z/
    }
}
