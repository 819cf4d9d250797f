import DeviceModel
import Testing

@testable import Router

/// Promise: wrong passwords delay, for each account and source apart, for a bounded time and in bounded memory.
@Suite struct LoginThrottleTests {
    private func at(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: Int64(seconds * 1e9))
    }

    private func fail(_ throttle: inout LoginThrottle, _ times: Int, _ source: String = "here", at seconds: Double = 0)
    {
        for _ in 0..<times { throttle.failed(account: "ada", source: source, at: at(seconds)) }
    }

    @Test("Nobody waits before the third wrong password")
    func free() {
        var throttle = LoginThrottle()
        #expect(throttle.delay(account: "ada", source: "here", at: at(0)) == nil)
        fail(&throttle, 2)
        #expect(throttle.delay(account: "ada", source: "here", at: at(0)) == nil)
        fail(&throttle, 1)
        #expect(throttle.delay(account: "ada", source: "here", at: at(0)) != nil)
    }

    @Test("Each further wrong password doubles the wait, up to half a minute")
    func doubling() {
        var throttle = LoginThrottle()
        fail(&throttle, 2)
        let waits = (0..<8).map { _ in
            fail(&throttle, 1)
            return throttle.delay(account: "ada", source: "here", at: at(0))
        }
        #expect(waits == [1, 2, 4, 8, 16, 30, 30, 30].map { .seconds($0) })
        fail(&throttle, 100)
        #expect(throttle.delay(account: "ada", source: "here", at: at(0)) == .seconds(30))
    }

    @Test("The wait runs from the last wrong password, and ends")
    func ends() {
        var throttle = LoginThrottle()
        fail(&throttle, 5, at: 10)
        #expect(throttle.delay(account: "ada", source: "here", at: at(11)) == .seconds(3))
        #expect(throttle.delay(account: "ada", source: "here", at: at(13.5)) == .milliseconds(500))
        #expect(throttle.delay(account: "ada", source: "here", at: at(14)) == nil)
    }

    @Test("Who guesses from one place keeps nobody out who comes from another, and no other account")
    func apart() {
        var throttle = LoginThrottle()
        fail(&throttle, 50)
        #expect(throttle.delay(account: "ada", source: "elsewhere", at: at(0)) == nil)
        #expect(throttle.delay(account: "bob", source: "here", at: at(0)) == nil)
        #expect(throttle.delay(account: "ada", source: "here", at: at(0)) != nil)
    }

    @Test("Who tries one name after the other is slowed down at all of them")
    func manyNames() {
        var throttle = LoginThrottle()
        for number in 0..<29 { throttle.failed(account: "user\(number)", source: "here", at: at(0)) }
        #expect(throttle.delay(account: "ada", source: "here", at: at(0)) == nil)
        throttle.failed(account: "user29", source: "here", at: at(0))
        #expect(throttle.delay(account: "ada", source: "here", at: at(0)) == .seconds(1))
        #expect(throttle.delay(account: "ada", source: "elsewhere", at: at(0)) == nil)
    }

    @Test("The right password makes everything forgotten")
    func success() {
        var throttle = LoginThrottle()
        fail(&throttle, 10)
        throttle.succeeded(account: "ada", source: "here")
        #expect(throttle.delay(account: "ada", source: "here", at: at(0)) == nil)
        fail(&throttle, 2)
        #expect(throttle.delay(account: "ada", source: "here", at: at(0)) == nil)
    }

    @Test("After a quarter of an hour without a wrong password the count begins again")
    func memory() {
        var throttle = LoginThrottle()
        fail(&throttle, 10)
        fail(&throttle, 2, at: 900)
        #expect(throttle.delay(account: "ada", source: "here", at: at(900)) == nil)
        fail(&throttle, 1, at: 900)
        #expect(throttle.delay(account: "ada", source: "here", at: at(900)) == .seconds(1))
    }

    @Test("However many places guess, only ten thousand are remembered: the one heard of longest ago goes")
    func bounded() {
        var throttle = LoginThrottle()
        fail(&throttle, 3, "oldest", at: 0)
        fail(&throttle, 3, "second", at: 0.001)
        for number in 0..<9_998 { fail(&throttle, 1, "\(number)", at: 0.002) }
        #expect(throttle.delay(account: "ada", source: "oldest", at: at(0.003)) != nil)
        fail(&throttle, 1, "one more", at: 0.003)
        #expect(throttle.delay(account: "ada", source: "oldest", at: at(0.003)) == nil)
        #expect(throttle.delay(account: "ada", source: "second", at: at(0.003)) != nil)
    }
}
