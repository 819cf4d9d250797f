import Glibc
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: systemd hears that the agent is ready, that it lives for as long as it does, that it looks at its
    /// configuration and that it stops; and hears nothing that was meant for another process.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct WatchdogTests {
        /// The variables with which systemd starts a service of `Type=notify`.
        ///
        /// - Parameters:
        ///   - socket: Where it listens.
        ///   - period: `WatchdogSec=`, in milliseconds.
        /// - Returns: The variables.
        private static func variables(_ socket: WatchdogSocket, _ period: Int = 3_000) -> [String: String] {
            ["NOTIFY_SOCKET": socket.name, "WATCHDOG_USEC": "\(period * 1_000)"]
        }

        @Test("Ready, then alive again and again, reloading and ready again, stopping", arguments: [true, false])
        func wholeLife(_ isAbstract: Bool) async throws {
            try await Household.open { house in
                let path = house.folder.file("notify")
                let socket = try WatchdogSocket(isAbstract ? "@\(path)" : path)
                try house.writeDevice([.noRouter])
                let agent = try await house.startAgent(variables: Self.variables(socket))
                try await socket.next("READY=1")
                for _ in 0..<3 { try await socket.next("WATCHDOG=1") }
                #expect(socket.messages.filter { $0.contains("READY=1") }.count == 1)

                agent.signal(SIGHUP)
                let reloading = try await socket.next("RELOADING=1")
                // systemd wants the time on CLOCK_MONOTONIC, in microseconds.
                let stamp = reloading.split(separator: "\n").first { $0.hasPrefix("MONOTONIC_USEC=") }
                let began = try #require(stamp.flatMap { Int64($0.dropFirst("MONOTONIC_USEC=".count)) })
                var now = timespec()
                clock_gettime(CLOCK_MONOTONIC, &now)
                let present = Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1_000
                #expect(present - Int64(patience * 1_000_000)...present ~= began)
                try await socket.next("READY=1")

                agent.signal(SIGTERM)
                try await socket.next("STOPPING=1")
                #expect(try await agent.end() == .exited(0))
            }
        }

        @Test("A reload that is refused ends with ready as well: the agent works as before")
        func refusal() async throws {
            try await Household.open { house in
                let socket = try WatchdogSocket(house.folder.file("notify"))
                try house.writeDevice([.noRouter])
                let agent = try await house.startAgent(variables: Self.variables(socket))
                try await socket.next("READY=1")
                try house.folder.write("greenhouse/agent.toml", "[device")
                agent.signal(SIGHUP)
                try await socket.next("RELOADING=1")
                try await socket.next("READY=1")
                try await socket.next("WATCHDOG=1")
            }
        }

        @Test("A router that can't be reached is no reason to be restarted: the agent lives on")
        func noRouter() async throws {
            try await Household.open { house in
                let socket = try WatchdogSocket(house.folder.file("notify"))
                let router = try await house.moveIn()
                try house.writeDevice()
                try await house.enroll()
                router.signal(SIGKILL)
                try await router.end()
                let agent = try await house.startAgent(variables: Self.variables(socket, 300))
                try await socket.next("READY=1")
                try await agent.errors.next(with: "no link to the router")
                for _ in 0..<20 { try await socket.next("WATCHDOG=1") }
                let status = try house.done(await house.m2m("status", "--json"))
                #expect(try status.json.first?["link"]["state"] == "reconnecting")
            }
        }

        @Test("A keeper that is away or hangs is no reason either: a restart of the agent would mend nothing")
        func noKeeper() async throws {
            try await Household.open { house in
                let socket = try WatchdogSocket(house.folder.file("notify"))
                try house.writeDevice([.noRouter, .keeper])
                let agent = try await house.startAgent(variables: Self.variables(socket, 300))
                try await socket.next("READY=1")
                try await agent.errors.hold("the keeper does not answer")
                for _ in 0..<5 { try await socket.next("WATCHDOG=1") }
                let keeper = try await house.startKeeper()
                try await house.settleHeater(isOn: false)
                keeper.signal(SIGSTOP)
                #expect(try await house.m2m("call", "heater", "on").status == 1)
                for _ in 0..<5 { try await socket.next("WATCHDOG=1") }
            }
        }

        @Test("An agent that hangs says nothing, and says it again when it goes on") func hangs() async throws {
            try await Household.open { house in
                let socket = try WatchdogSocket(house.folder.file("notify"))
                let (first, keeper) = try await house.keep()
                first.signal(SIGTERM)
                try await first.end()
                let agent = try await house.startAgent(variables: Self.variables(socket, 300))
                try await socket.next("WATCHDOG=1")
                try await house.settleHeater(isOn: false)
                try house.done(await house.m2m("call", "heater", "on"))
                agent.signal(SIGSTOP)
                // The kernel stops a process a moment after the signal; whatever it said before is there by now.
                try await keeper.errors.next(with: "its agent gave no sign of life")
                let count = socket.messages.count
                try house.done(await house.run(Made.simulatedKeeper.path, ["status", "--socket", house.keeperSocket]))
                #expect(socket.messages.count == count)
                agent.signal(SIGCONT)
                try await house.settleHeater(isOn: false)
                for _ in 0..<count + 1 { try await socket.next("WATCHDOG=1") }
            }
        }

        @Test("A watchdog that is meant for another process, or is off, gets no sign of life; all else is said")
        func notMeant() async throws {
            try await Household.open { house in
                for other in [["WATCHDOG_PID": "1"], ["WATCHDOG_USEC": "0"], ["WATCHDOG_USEC": "soon"]] {
                    let socket = try WatchdogSocket("@\(house.folder.file("notify"))-\(other)")
                    try house.writeDevice([.noRouter])
                    // A watchdog that was meant would hear of it every millisecond.
                    let agent = try await house.startAgent(variables: Self.variables(socket, 3).merging(other) { $1 })
                    try await socket.next("READY=1")
                    try house.done(await house.m2m("status"))
                    agent.signal(SIGTERM)
                    try await socket.next("STOPPING=1")
                    #expect(try await agent.end() == .exited(0))
                    #expect(!socket.messages.contains { $0.contains("WATCHDOG=1") }, "\(other): \(socket.messages)")
                }
            }
        }

        @Test(
            "A supervisor that is not there is nobody's loss",
            arguments: ["/nowhere/notify", "", "@", "notify", String(repeating: "n", count: 200)])
        func nobody(_ name: String) async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                let agent = try await house.startAgent(variables: ["NOTIFY_SOCKET": name, "WATCHDOG_USEC": "3000"])
                try await house.settleHeater(isOn: false)
                agent.signal(SIGTERM)
                #expect(try await agent.end() == .exited(0))
            }
        }
    }
}
