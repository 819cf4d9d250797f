import DeviceModel
import Testing

@testable import Router

/// What the router says to what a device says of its files: pure.
@Suite struct DeviceFilesTests {
    private let now = WallTime(nanoseconds: 1)

    private func root(_ number: UInt8) -> SHA256Hash { SHA256Hash { $0.pointee = number } }

    private func claim(
        _ number: UInt8, _ counter: UInt64?, _ response: IntegrityResponse = .disable
    ) -> IntegrityClaim {
        IntegrityClaim(root: root(number), counter: counter, response: response)
    }

    /// Root 3, approved as number 3.
    private var approved: DeviceFiles {
        var files = DeviceFiles()
        files.approved = DeviceFiles.Approved(root: root(3), time: now, by: .owner("ada"))
        files.counter = 3
        files.response = .disable
        return files
    }

    @Test("Of a device that never said anything nothing is said")
    func nothing() {
        var files = DeviceFiles()
        #expect(files.judge(nil, at: now) == nil)
        #expect(files.isEmpty)
    }

    @Test("Nothing is approved by a device's word; but what it came with first is known from then on")
    func first() {
        var files = DeviceFiles()
        #expect(files.judge(claim(1, nil), at: now) == IntegrityVerdict(counter: 0, response: .disable))
        #expect(files.approved == nil)
        #expect(files.judge(claim(1, 0), at: now) == IntegrityVerdict(counter: 0, response: .disable))
        let verdict = files.judge(claim(2, 0), at: now)
        #expect(verdict?.objection?.contains("not the one with which it came first") == true)
        #expect(verdict?.disabledBecause == verdict?.objection)
        #expect(files.approved == nil)
    }

    @Test(
        "What was approved is let pass, with its count or without one; anything else is not",
        arguments: [
            (3, 3, nil), (3, nil, nil), (3, 2, "an older copy"), (2, 2, "an older copy"),
            (3, 4, "only 3 were approved"),
            (4, 3, "it was replaced"), (4, nil, "was lost or replaced"), (4, 0, "an older copy"),
        ] as [(UInt8, UInt64?, String?)])
    func judged(root: UInt8, counter: UInt64?, words: String?) {
        var files = approved
        let verdict = files.judge(claim(root, counter), at: now)
        #expect(verdict?.counter == 3)
        #expect(verdict?.objection?.contains(words ?? "") ?? false == (words != nil))
        #expect((verdict?.disabledBecause != nil) == (words != nil))
        #expect(files.approved?.root == self.root(3))
        #expect(files.counter == 3)
    }

    @Test(
        "What is about to be approved is so from the moment on in which the device has it, and what was is not any more"
    )
    func next() {
        for counter in [4, nil] as [UInt64?] {
            var files = approved
            files.next = DeviceFiles.Next(root: root(4), by: .owner("ada"))
            #expect(files.judge(claim(3, 3), at: now)?.objection == nil)
            #expect(files.counter == 3)
            #expect(files.judge(claim(4, counter), at: now) == IntegrityVerdict(counter: 4, response: .disable))
            #expect(files.approved?.root == root(4))
            #expect(files.next == nil)
            #expect(files.judge(claim(3, 3), at: now)?.objection?.contains("an older copy") == true)
        }
        var files = approved
        files.next = DeviceFiles.Next(root: root(4), by: .owner("ada"))
        #expect(files.judge(claim(4, 3), at: now)?.objection != nil)
    }

    @Test("A device that says nothing any more, or that it would only tell, is judged by the most that it ever said")
    func weaker() {
        var files = approved
        let gone = files.judge(nil, at: now)
        #expect(gone?.disabledBecause?.contains("any more") == true)
        #expect(gone?.response == nil)
        files = approved
        #expect(files.judge(claim(4, 3, .alert), at: now)?.disabledBecause != nil)
        // Whoever writes its configuration does not talk the router out of it, not even with the right files.
        files = approved
        #expect(files.judge(claim(3, 3, .alert), at: now) == IntegrityVerdict(counter: 3, response: .disable))
        #expect(files.response == .disable)
        // Only the owner does.
        (files.wanted, files.response) = (.alert, .alert)
        let told = files.judge(claim(4, 3, .alert), at: now)
        #expect(told?.objection != nil)
        #expect(told?.disabledBecause == nil)
        #expect(told?.response == .alert)
        files.wanted = .disable
        #expect(files.judge(claim(4, 3, .alert), at: now)?.disabledBecause != nil)
    }

    @Test("A window counts that the owner has opened, for as long as they said; another one is an objection")
    func window() {
        var claim = claim(3, 3)
        claim.hasWindow = true
        var files = approved
        #expect(files.judge(claim, at: now)?.objection?.contains("nobody has opened a window") == true)
        files = approved
        files.windowEnd = now + .seconds(60)
        #expect(files.judge(claim, at: now + .seconds(60))?.objection == nil)
        #expect(files.judge(claim, at: now + .seconds(600))?.disabledBecause != nil)
        claim.hasWindow = false
        files = approved
        #expect(files.judge(claim, at: now)?.objection == nil)
    }

    @Test("While it is connected a device's word approves what is about to be, and nothing else")
    func hear() {
        var files = approved
        #expect(files.hear(claim(4, 4), at: now) == nil)
        files.next = DeviceFiles.Next(root: root(4), by: .release("m2m 0.2.0"))
        for other in [claim(5, 4), claim(4, 5), claim(4, 3), claim(4, nil)] {
            #expect(files.hear(other, at: now) == nil)
        }
        #expect(files.approved?.root == root(3))
        #expect(files.hear(claim(4, 4), at: now) == .release("m2m 0.2.0"))
        #expect(files.approved == DeviceFiles.Approved(root: root(4), time: now, by: .release("m2m 0.2.0")))
        #expect(files.counter == 4)
        #expect(files.next == nil)
    }

    @Test("A device that knows nothing of its files yet is neither judged nor let off")
    func unknown() {
        let claim = IntegrityClaim(root: nil, counter: nil, response: .alert)
        var files = approved
        #expect(files.judge(claim, at: now) == IntegrityVerdict(counter: 3, response: .disable))
        files.disabledBecause = "why"
        #expect(files.judge(claim, at: now)?.disabledBecause == "why")
        #expect(files.seen == nil)
        var new = DeviceFiles()
        #expect(new.judge(claim, at: now) == IntegrityVerdict(counter: 0))
        #expect(new.seen == nil)
    }

    @Test("A device that lets a release pass says so, and only of one that was handed in") func release() {
        var claim = claim(3, 3)
        claim.expected = root(4)
        var files = approved
        #expect(files.judge(claim, at: now)?.objection?.contains("of which this router knows nothing") == true)
        files = approved
        files.next = DeviceFiles.Next(root: root(4), by: .release("m2m 0.2.0"))
        #expect(files.judge(claim, at: now)?.objection == nil)
        claim.expected = root(5)
        #expect(files.judge(claim, at: now)?.disabledBecause != nil)
    }

    @Test("What was held against a device is so until it says something of its baseline") func stillHeld() {
        var files = approved
        _ = files.judge(claim(4, 3), at: now)
        let objection = files.objection?.words
        #expect(objection != nil)
        let claim = IntegrityClaim(root: nil, counter: 3, response: .disable)
        #expect(files.judge(claim, at: now)?.objection == objection)
    }

    @Test("Of two approvals that overlap neither takes the other's files")
    func overlap() {
        var files = approved
        files.next = DeviceFiles.Next(root: root(5), by: .owner("bob"))
        files.promote(root(4), at: now)
        files.withdraw(root(4))
        #expect(files.counter == 3)
        #expect(files.next?.root == root(5))
        files.withdraw(root(5), to: DeviceFiles.Next(root: root(6), by: .owner("ada")))
        #expect(files.next?.root == root(6))
        files.withdraw(root(6))
        #expect(files.next == nil)
    }

    @Test("Disabled it stays so, whatever it says later")
    func stays() {
        var files = approved
        files.disabledBecause = "why"
        #expect(files.judge(claim(3, 3), at: now)?.disabledBecause == "why")
        #expect(files.judge(nil, at: now)?.disabledBecause == "why")
    }
}
