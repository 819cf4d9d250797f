import DeviceManager
import DeviceModel
import HALTestKit
import Synchronization
import TestSupport
import Testing
import Wire

@testable import Link

/// A command that comes over the link is done once, in time or not at all, and its result goes up.
@Suite(.timeLimit(.minutes(1))) struct LinkCommandTests {
    private let device: LinkedDevice

    init() throws {
        device = try LinkedDevice(TemporaryDirectory())
    }

    private func call(_ id: String, _ action: String = "on", within duration: Duration = .seconds(10)) -> Call {
        Call(
            id: CommandID(stringLiteral: id), component: "heater", action: action,
            deadline: device.clock.now + duration)
    }

    @Test("A command is done, and its result goes up") func commandIsDone() async throws {
        let device = device
        try await device.run { () async throws in
            _ = try await device.session { router in
                try await router.welcome()
                try await router.say(call("1"))
                let result = try await router.result()
                #expect(result.id == "1")
                #expect(result.status == .done)
                #expect(try device.isHeating)
            }
        }
    }

    @Test(
        "Where the disk is full whoever waits hears of the result all the same; else it goes up as an observation alone"
    )
    func resultWithoutDisk() async throws {
        for isFull in [true, false] {
            let outbox = Mutex<FullOutbox?>(nil)
            let device = try LinkedDevice(TemporaryDirectory()) { store in
                outbox.withLock { outbox in
                    let full = FullOutbox(store)
                    outbox = full
                    return full
                }
            }
            guard let full = outbox.withLock(\.self) else { throw HarnessError(description: "no outbox was asked for") }
            try await device.run { () async throws in
                _ = try await device.session { router in
                    try await router.welcome()
                    if isFull { full.fill() }
                    try await router.say(call("1"))
                    guard isFull else {
                        // Each message up to the result is a batch.
                        var results: [CommandResult] = []
                        while results.isEmpty {
                            let batch = try await router.next(ObservationBatch.self)
                            try await router.acknowledge(batch)
                            results = batch.items.compactMap(\.observation.content.result)
                        }
                        return
                    }
                    var answer: Called?
                    while answer == nil {
                        let envelope = try await router.next()
                        if envelope.kind == Called.kind { answer = try envelope.decode(Called.self) }
                    }
                    #expect(answer == Called(id: "1", CommandOutcome(.done)))
                    #expect(try device.isHeating)
                }
            }
        }
    }

    @Test("A command that comes too late by the device's own clock is not done") func tooLate() async throws {
        let device = device
        try await device.run { () async throws in
            _ = try await device.session { router in
                try await router.welcome()
                for (id, expiry) in [("1", Duration.zero), ("2", .seconds(-1)), ("3", .seconds(-1_000_000))] {
                    try await router.say(call(id, within: expiry))
                    let result = try await router.result()
                    #expect(result.id.rawValue == id)
                    #expect(result.status == .expired)
                }
                #expect(try !device.isHeating)
                #expect(try device.switches == 0)
            }
        }
    }

    @Test("A command that comes twice is done once, also over two links") func onceOnly() async throws {
        let device = device
        try await device.run { () async throws in
            for expected in [[CommandStatus.done, .refused], [.refused, .refused]] {
                _ = try await device.session { router in
                    try await router.welcome()
                    for status in expected {
                        try await router.say(call("same", "toggle"))
                        #expect(try await router.result().status == status)
                    }
                }
            }
            #expect(try device.switches == 1)
            #expect(try device.isHeating)
        }
    }

    @Test("The result of a command whose link broke goes up on the next one") func resultSurvives() async throws {
        let device = device
        try await device.run { () async throws in
            _ = try await device.session { router in
                try await router.welcome()
                try await device.stored {
                    if case .result = $0 { true } else { false }
                } after: {
                    try await router.say(call("1"))
                }
            }
            _ = try await device.session { router in
                try await router.welcome()
                let result = try await router.result()
                #expect(result.id == "1")
                #expect(result.status == .done)
            }
            #expect(try device.switches == 1)
        }
    }

    @Test("A lease that does not exist is not renewed, and the router is told why") func renewal() async throws {
        let device = device
        try await device.run { () async throws in
            _ = try await device.session { router in
                try await router.welcome()
                let ids = ["r1", "r2"]
                for (id, component) in zip(ids, ["heater", "oven"] as [ComponentID]) {
                    let renewal = LeaseRenewal(
                        component: component, lease: "none", duration: .seconds(10),
                        deadline: device.clock.now + .seconds(3))
                    try await router.say(Renew(id: id, renewal))
                }
                var answers: [Renewed] = []
                while answers.count < 2 {
                    let envelope = try await router.next()
                    if envelope.kind == Renewed.kind { answers.append(try envelope.decode(Renewed.self)) }
                }
                #expect(Set(answers.map(\.id)) == Set(ids))
                #expect(answers.allSatisfy { $0.outcome.status == .refused && $0.outcome.reason != nil })
                #expect(try !device.isHeating)
            }
        }
    }

    @Test("What the device can't do is refused with the reason, not ignored") func refused() async throws {
        let device = device
        try await device.run { () async throws in
            _ = try await device.session { router in
                try await router.welcome()
                try await router.say(call("1", "explode"))
                let result = try await router.result()
                #expect(result.status == .refused)
                #expect(result.reason?.contains("has no action 'explode'") == true)
            }
        }
    }
}

extension Observation.Content {
    /// The result of a command.
    fileprivate var result: CommandResult? {
        if case .result(let result) = self { result } else { nil }
    }
}
