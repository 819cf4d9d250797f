import Foundation
import Synchronization
import TestSupport

/// A router and a device with 32 busy sensors, and all that can happen to them and between them, in an order that follows
/// from a seed.
///
/// How long something lasts is counted in questions to the agent, which has to answer each of them, whatever happens.
final class Chaos {
    /// What happens.
    enum Fault: String, CaseIterable {
        case none = "nothing"
        case agentKilled = "agent killed"
        case routerKilled = "router killed"
        case bothKilled = "both killed"
        case cut = "link cut"
        case silent = "link silent"
        case slow = "link slow"
        case damaging = "link damaging"
        case fullDisk = "disk full"
        case clockAhead = "clock 10 years ahead"
        case clockBehind = "clock in 1970"
        case routerAway = "router away for long"

        /// Those that can be brought about here.
        static var possible: [Self] { allCases.filter { $0 != .fullDisk || SmallDisk.isPossible } }
    }

    /// A fault, and from which number on it was there.
    struct Round {
        let fault: Fault
        let start: Int
    }

    private static let witnessed = "sensor-1"

    private let house: Household
    private let proxy: StallingProxy
    private var chance: SeededGenerator
    private var disk: SmallDisk?
    private var router: Program
    private var agent: Program?
    private var witness: Program?
    /// What the watch on the device has seen of one sensor, before its last start.
    private var seen: [String] = []
    private var rounds: [Round] = []

    init(_ house: Household, _ proxy: StallingProxy, router: Program, seed: UInt64) {
        (self.house, self.proxy, self.router) = (house, proxy, router)
        chance = SeededGenerator(seed: seed)
    }

    // MARK: Before and after

    /// Enrols the device, and starts it.
    func begin() async throws {
        try writeDevice(interval: "100ms")
        try await house.enroll()
        disk = SmallDisk.isPossible ? try await SmallDisk.mount(64, over: house.stateDirectory, house) : nil
        try await startAgent()
    }

    /// Ends all faults, and waits until all that was committed has had its time to go up.
    ///
    /// - Returns: What `m2m devices` says of the device.
    func calm() async throws -> JSON {
        try await stopAgent(SIGTERM)
        try writeDevice(interval: "1h")
        // What is measured now may be over before anybody looks.
        try await startAgent(isWatched: false)
        var (kept, unchanged) = (Int.max, 0)
        while kept > 0 {
            let now = try await status()["store"]["kept"].number
            unchanged = Int(now) < kept ? 0 : unchanged + 1
            kept = Int(now)
            guard unchanged < 1_000 else { throw NotInTime(what: "end of the backlog: \(kept) still wait") }
        }
        // The person has not been heard of for long, perhaps for too long.
        try house.done(await house.login())
        let devices = try house.done(await house.m2m("devices", "--json")).json
        try await stopAgent(SIGTERM)
        router.signal(SIGTERM)
        try await router.end()
        return devices.first ?? .null
    }

    /// What came of it.
    func books() throws -> ChaosBooks {
        let copy = house.folder.file("store.db")
        let original = disk?.path("store.db") ?? "\(house.stateDirectory)/store.db"
        try FileManager.default.copyItem(atPath: original, toPath: copy)
        return try ChaosBooks(
            router: "\(house.routerData)/router.db", device: copy, rounds: rounds, witness: seen.map { try JSON($0) })
    }

    /// 16 buses with two sensors each, which measure three things.
    private func writeDevice(interval: String) throws {
        var (components, scenario) = ("", "")
        for number in 1...32 {
            let place = "bus = \((number + 1) / 2)\naddress = \(number.isMultiple(of: 2) ? "0x77" : "0x76")\n"
            components += """
                [components.sensor-\(number)]
                model = "bmp280"
                \(place)interval = "\(interval)"
                altitude = "212 m"

                """
            scenario += "[[chips]]\n\(place)temperature = \"\(number) °C\"\n\n"
        }
        mkdir(house.folder.file("greenhouse"), 0o700)
        try house.folder.write("greenhouse/greenhouse.scenario.toml", scenario)
        try house.folder.write(
            "greenhouse/agent.toml",
            """
            [device]
            id = "greenhouse"
            state_directory = "state"

            [router]
            url = "\(proxy.address)"
            backlog_rate = 100000

            [local]
            socket = "agent.sock"

            [board]
            kind = "simulated"
            scenario = "greenhouse.scenario.toml"

            [store]
            commit_interval = "100ms"
            max_size = "16 MiB"

            [components.switch]
            model = "button"
            line = "GPIO17"

            \(components)
            """)
    }

    // MARK: The programs

    private func startAgent(isWatched: Bool = true) async throws {
        let command = [Household.programs + "m2m-agent", "run", "--config", house.configuration]
        let whole = (disk?.entrance ?? []) + command
        let agent = try house.start(whole[0], Array(whole.dropFirst()), variables: house.shiftedWallClock())
        try await agent.errors.hold("local socket is open")
        self.agent = agent
        guard isWatched else { return }
        let watch = try house.start("m2m", ["watch", "/\(Self.witnessed)", "--json"])
        try await watch.output.nextJSON("reading") { $0["sequence"] != .null }
        witness = watch
    }

    private func stopAgent(_ signal: Int32) async throws {
        agent?.signal(signal)
        try await agent?.end()
        try await witness?.end()
        seen += witness?.output.all ?? []
        (agent, witness) = (nil, nil)
    }

    private func stopRouter() async throws {
        router.signal(SIGKILL)
        try await router.end()
    }

    private func status() async throws -> JSON {
        try house.done(await house.m2m("status", "--json")).json.first ?? .null
    }

    /// Lets time pass: so many questions, all of which the agent has to answer; and something is pressed meanwhile.
    private func pass(_ questions: ClosedRange<Int>) async throws {
        try house.done(await house.m2m("drive", "GPIO17", "active"))
        for _ in 0..<Int.random(in: questions, using: &chance) { _ = try await status() }
        try house.done(await house.m2m("drive", "GPIO17", "inactive"))
    }

    /// The newest number that the watch on the device has seen.
    private var newest: Int {
        get throws {
            let last = witness?.output.all.last { $0.contains("\"sequence\"") } ?? seen.last
            return try last.map { Int(try JSON($0)["sequence"].number) } ?? 0
        }
    }

    // MARK: The faults

    /// Lets one fault follow the other until there are so many observations, and each has been there.
    func rage(until count: Int) async throws {
        var waiting: [Fault] = []
        var isFirst = true
        while try newest < count || isFirst {
            if waiting.isEmpty {
                isFirst = rounds.isEmpty
                waiting = Fault.possible.shuffled(using: &chance)
            }
            let fault = waiting.removeLast()
            rounds.append(Round(fault: fault, start: try newest + 1))
            try await suffer(fault)
            if waiting.isEmpty { isFirst = false }
        }
    }

    private func suffer(_ fault: Fault) async throws {
        switch fault {
        case .none: try await pass(5...20)
        case .agentKilled:
            try await stopAgent(SIGKILL)
            try await startAgent()
        case .routerKilled:
            try await stopRouter()
            router = try await house.startRouter()
        case .bothKilled:
            try await stopRouter()
            try await stopAgent(SIGKILL)
            router = try await house.startRouter()
            try await startAgent()
        case .cut: proxy.cut()
        case .silent: try await sluices { $0.shut() }
        case .slow: try await sluices { $0.narrow(to: 10_000) }
        case .damaging: try await sluices { $0.damage() }
        case .fullDisk:
            try disk?.fill()
            try await pass(5...20)
            disk?.free()
        case .clockAhead: try await shift(by: 10 * 365 * 86_400)
        case .clockBehind: try await shift(by: -Int(Date.now.timeIntervalSince1970) + 60)
        case .routerAway:
            try await stopRouter()
            try await pass(40...80)
            router = try await house.startRouter()
        }
        try await pass(1...10)
    }

    /// Something happens to what goes either way, and the connections that it has happened to are gone afterwards.
    private func sluices(_ harm: (Sluice) -> Void) async throws {
        for sluice in [proxy.up, proxy.down] { harm(sluice) }
        try await pass(5...20)
        proxy.cut()
        for sluice in [proxy.up, proxy.down] { sluice.open() }
    }

    private func shift(by seconds: Int) async throws {
        try house.folder.write("wall-shift", "\(seconds)\n")
        try await pass(5...20)
        try house.folder.write("wall-shift", "0\n")
    }
}
