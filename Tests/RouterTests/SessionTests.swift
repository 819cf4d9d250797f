import DeviceModel
import TestSupport
import Testing

@testable import Router

/// Promise: a session is as old as the more pessimistic of two clocks says, whichever of them is turned.
@Suite struct SessionTests {
    private static let start = moment(boot: 1, at: 1_000, wall: 1_800_000_000)

    private static func moment(boot: BootID, at seconds: Int64, wall: Int64) -> Timestamp {
        Timestamp(
            boot: boot, monotonic: MonotonicTime(nanoseconds: seconds * 1_000_000_000),
            wall: WallTime(nanoseconds: wall * 1_000_000_000), isSynchronised: true)
    }

    private static func after(_ seconds: Int64, wall: Int64? = nil, boot: BootID = 1) -> Timestamp {
        moment(boot: boot, at: boot == 1 ? 1_000 + seconds : seconds, wall: 1_800_000_000 + (wall ?? seconds))
    }

    private let session = Session(
        tokenHash: [1], owner: RouterStore.Owner(id: 1, name: "ada"), name: "a", source: "here", agent: "test",
        at: start)

    @Test("It is idle after 15 minutes, over after 12 hours, and its code is old after five minutes")
    func ages() {
        #expect(session.isFresh(at: Self.after(299)))
        #expect(!session.isFresh(at: Self.after(300)))
        #expect(!session.isIdle(at: Self.after(899)))
        #expect(session.isIdle(at: Self.after(900)))
        #expect(!session.isOver(at: Self.after(43_199)))
        #expect(session.isOver(at: Self.after(43_200)))
    }

    @Test("A wall clock that is set back makes nothing younger")
    func setBack() {
        #expect(session.isIdle(at: Self.after(900, wall: -86_400)))
        #expect(session.isOver(at: Self.after(43_200, wall: -86_400)))
        #expect(!session.isFresh(at: Self.after(300, wall: 0)))
    }

    @Test("A wall clock that has gone on while the machine slept makes it older")
    func slept() {
        #expect(session.isIdle(at: Self.after(10, wall: 900)))
        #expect(session.isOver(at: Self.after(10, wall: 43_200)))
    }

    @Test("After a restart of the machine the wall clock counts, and one that was set back ends the session")
    func restarted() {
        #expect(!session.isIdle(at: Self.after(5, wall: 899, boot: 2)))
        #expect(session.isIdle(at: Self.after(5, wall: 900, boot: 2)))
        #expect(session.isOver(at: Self.after(5, wall: -1, boot: 2)))
    }

    @Test("Used in another boot it keeps its age")
    func used() {
        var session = session
        session.use(at: Self.after(5, wall: 800, boot: 2))
        #expect(!session.isIdle(at: Self.after(904, wall: 0, boot: 2)))
        #expect(session.isIdle(at: Self.after(905, wall: 0, boot: 2)))
        #expect(!session.isFresh(at: Self.after(5, wall: 800, boot: 2)))
        // 800 s of its life were before.
        #expect(!session.isOver(at: Self.after(5 + 43_200 - 801, wall: 0, boot: 2)))
        #expect(session.isOver(at: Self.after(5 + 43_200 - 800, wall: 0, boot: 2)))
        session.use(at: Self.after(6, wall: 801, boot: 2), withCode: true)
        #expect(session.isFresh(at: Self.after(305, wall: 801, boot: 2)))
    }
}
