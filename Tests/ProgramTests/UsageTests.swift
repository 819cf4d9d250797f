import TestSupport
import Testing

extension ProgramTests {
    /// Promise: a command line that makes no sense ends with 2 and says what does; help and versions are answers, on standard
    /// output, with 0.
    @Suite(.serialized, .timeLimit(.minutes(1))) struct UsageTests {
        private func run(_ line: String) async throws -> Outcome {
            var words = line.split(separator: " ").map(String.init)
            let program = words.removeFirst()
            var outcome: Outcome?
            try await Household.open { house in outcome = try await house.run(program, words) }
            return try #require(outcome)
        }

        @Test(
            "A command line that makes no sense: 2, with the usage on standard error, and nothing on standard output",
            arguments: [
                "m2m-agent", "m2m-agent nonsense", "m2m-agent run --config", "m2m-agent run nonsense",
                "m2m-agent run --probe", "m2m-agent check --claim X", "m2m-agent enroll --claim",
                "m2m-router nonsense", "m2m-router serve --nonsense", "m2m-router serve --listen nonsense",
                "m2m-router serve --listen 127.0.0.1:65536", "m2m-router serve 127.0.0.1:8443", "m2m-router user add",
                "m2m-router user nonsense",
                "m2m nonsense", "m2m read a/b/c", "m2m read climate. --json", "m2m watch --nonsense", "m2m call heater",
                "m2m call heater.on on", "m2m call greenhouse/ on", "m2m call heater on --expires 61s",
                "m2m call heater on --expires 500us", "m2m call heater on --expires 0s",
                "m2m call heater on --hold --lease 5s", "m2m call heater on --lease", "m2m call heater on --lease 9ms",
                "m2m call heater on --lease 8d", "m2m call heater on --lease soon",
                "m2m history", "m2m history climate --since yesterday", "m2m history climate --limit -1",
                "m2m history climate --csv --json", "m2m claim Green_House", "m2m drive GPIO17", "m2m drive GPIO17 up",
                "m2m login", "m2m login wss://router.example", "m2m devices greenhouse",
            ])
        func usage(_ line: String) async throws {
            let outcome = try await run(line)
            #expect(outcome.status == 2, "\(outcome)")
            #expect(outcome.output.isEmpty)
            #expect(outcome.errors.contains { $0.lowercased().hasPrefix("usage: m2m") })
        }

        @Test(
            "A router's address without TLS, or none at all, is no address", arguments: ["http://x", "ws://x", "x", ""])
        func address(_ url: String) async throws {
            try await Household.open { house in
                let outcome = try await house.m2m("login", url, "--user", "anna", input: ["correct horse", "123456"])
                #expect(outcome.status == 2)
                #expect(outcome.errors.joined().contains("is no router's address: write https://HOST[:PORT]"))
            }
        }

        @Test(
            "Help is an answer",
            arguments: [
                ("m2m-agent help", "usage: m2m-agent run"), ("m2m-agent --help", "usage: m2m-agent run"),
                ("m2m-router help", "OVERVIEW: The router"), ("m2m-router --help", "OVERVIEW: The router"),
                ("m2m-router serve --help", "OVERVIEW: Run the router"), ("m2m-router help user", "OVERVIEW: Manage"),
                ("m2m help", "OVERVIEW: See and steer"), ("m2m --help", "OVERVIEW: See and steer"),
                ("m2m help read", "OVERVIEW: Show the newest readings"), ("m2m read -h", "OVERVIEW: Show the newest"),
            ])
        func help(_ line: String, _ words: String) async throws {
            let outcome = try await run(line)
            #expect(outcome.status == 0)
            #expect(outcome.errors.isEmpty)
            #expect(outcome.output.first?.hasPrefix(words) == true, "\(outcome)")
        }

        @Test(
            "The version is an answer",
            arguments: ["m2m-agent version", "m2m-agent --version", "m2m-router --version", "m2m --version"])
        func version(_ line: String) async throws {
            let outcome = try await run(line)
            #expect(outcome.status == 0)
            #expect(outcome.errors.isEmpty)
            let program = line.split(separator: " ").first ?? ""
            #expect(outcome.output.count == 1)
            #expect(outcome.output.first?.wholeMatch(of: /(m2m[a-z-]*) \d+\.\d+\.\d+\S*/)?.output.1 == program)
        }
    }
}
