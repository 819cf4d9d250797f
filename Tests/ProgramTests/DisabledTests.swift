import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: a disabled device commands nothing but safe, whoever asks, and says why; a restart changes nothing.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct DisabledTests {
        @Test("On the device and through the router: on is refused with the reason, off is done, looking goes on")
        func refuses() async throws {
            try await Household.open { house in
                let (_, agent) = try await house.settle()
                try house.done(await house.m2m("call", "heater", "on"))
                agent.signal(SIGTERM)
                try await agent.end()
                try "a test wants it so\n".write(
                    toFile: "\(house.stateDirectory)/disabled", atomically: false, encoding: .utf8)
                for _ in 0..<2 {
                    let again = try house.start("m2m-agent", ["run", "--config", house.configuration])
                    try await again.errors.next(with: "the device is disabled")
                    try await again.errors.hold("connected to the router")
                    for place in ["heater", "greenhouse/heater"] {
                        let refused = try await house.m2m("call", place, "on")
                        #expect(refused.status == 1)
                        #expect(refused.errors.joined().contains("this device is disabled: a test wants it so"))
                        try house.done(await house.m2m("call", place, "off"))
                    }
                    try house.done(await house.m2m("read", "climate"))
                    #expect(
                        try await house.m2m("status").output.contains { $0.contains("disabled: a test wants it so") })
                    again.signal(SIGTERM)
                    #expect(try await again.end() == .exited(0))
                }
            }
        }
    }
}
