import DeviceModel
import HALTestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct MailboxTests {
    @Test func elementsComeInOrder() async {
        let mailbox = Mailbox<Int>(bound: 4, policy: .refuseNewest)
        for number in 1...3 { mailbox.send(number) }
        mailbox.finish()
        var received: [Int] = []
        while let number = await mailbox.next() { received.append(number) }
        #expect(received == [1, 2, 3])
    }

    @Test func aWaitingReaderGetsTheElementAtOnce() async {
        let mailbox = Mailbox<Int>(bound: 1, policy: .refuseNewest)
        async let received = mailbox.next()
        mailbox.send(7)
        #expect(await received == 7)
    }

    @Test func whenFullTheOldestGoesOrTheNewestIsRefused() async {
        let newest = Mailbox<Int>(bound: 2, policy: .dropOldest)
        for number in 1...2 { newest.send(number) }
        guard case .dropped(1) = newest.send(3) else { return #expect(Bool(false)) }
        #expect(newest.takeIfWaiting() == 2)

        let oldest = Mailbox<Int>(bound: 2, policy: .refuseNewest)
        for number in 1...2 { oldest.send(number) }
        guard case .refused = oldest.send(3) else { return #expect(Bool(false)) }
        #expect(oldest.count == 2)
    }

    @Test func whenFullThoseGoFirstThatMatterLess() {
        let mailbox = Mailbox<Int>(bound: 3, policy: .dropOldest) { $0.isMultiple(of: 2) }
        for number in [1, 2, 4] { mailbox.send(number) }
        guard case .dropped(2) = mailbox.send(3) else { return #expect(Bool(false)) }
        guard case .dropped(4) = mailbox.send(5) else { return #expect(Bool(false)) }
        guard case .dropped(1) = mailbox.send(7) else { return #expect(Bool(false)) }
        #expect((0..<3).map { _ in mailbox.takeIfWaiting() } == [3, 5, 7])
    }

    @Test func aDeadlineEndsTheWait() async {
        let time = ManualTime()
        let mailbox = Mailbox<Int>(bound: 1, policy: .refuseNewest)
        async let received = mailbox.next(until: time.now + .seconds(1), on: time)
        await time.untilSleepers()
        time.advance(by: .seconds(1))
        guard case .deadline = await received else { return #expect(Bool(false)) }
        // What comes later is still there for the next wait.
        mailbox.send(1)
        guard case .element(1) = await mailbox.next(until: nil, on: time) else { return #expect(Bool(false)) }
    }

    @Test func anElementBeatsADeadlineThatHasPassed() async {
        let time = ManualTime()
        let mailbox = Mailbox<Int>(bound: 1, policy: .refuseNewest)
        mailbox.send(1)
        guard case .element(1) = await mailbox.next(until: time.now, on: time) else { return #expect(Bool(false)) }
        guard case .deadline = await mailbox.next(until: time.now, on: time) else { return #expect(Bool(false)) }
    }

    @Test(
        "A reader that is called off hears of the end, also where its deadline has passed: it does not go on for ever")
    func calledOffAtDeadline() async {
        let time = ManualTime()
        let mailbox = Mailbox<Int>(bound: 1, policy: .refuseNewest)
        let reader = Task {
            while case .deadline = await mailbox.next(until: time.now, on: time) { await Task.yield() }
        }
        reader.cancel()
        await reader.value
    }

    @Test("Whoever waits for the reader waits while it is busy, also where the mailbox is full, and not longer")
    func readerComesBy() async {
        let mailbox = Mailbox<Int>(bound: 1, policy: .refuseNewest)
        let hasCome = Mailbox<Void>(bound: 1, policy: .refuseNewest)
        mailbox.send(1)
        let visitor = Task {
            await mailbox.untilReaderComesBy()
            hasCome.send(())
        }
        for _ in 0..<100 { await Task.yield() }
        #expect(hasCome.count == 0)
        #expect(await mailbox.next() == 1)
        await visitor.value
        // One that waits for the next element is there, whoever asks and however often.
        let reader = Task { await mailbox.next() }
        for _ in 0..<3 { await mailbox.untilReaderComesBy() }
        mailbox.send(2)
        #expect(await reader.value == 2)
        let last = Task { await mailbox.untilReaderComesBy() }
        mailbox.finish()
        await last.value
        await mailbox.untilReaderComesBy()
    }

    @Test("Whoever comes while the reader lies down to wait is not overlooked")
    func readerLiesDown() async {
        for _ in 0..<5_000 {
            let mailbox = Mailbox<Int>(bound: 1, policy: .refuseNewest)
            let reader = Task { await mailbox.next() }
            await mailbox.untilReaderComesBy()
            mailbox.finish()
            #expect(await reader.value == nil)
        }
    }

    @Test("Whoever waits for a reader that never comes can be called off")
    func callingOff() async {
        let mailbox = Mailbox<Int>(bound: 1, policy: .refuseNewest)
        let visitor = Task { await mailbox.untilReaderComesBy() }
        visitor.cancel()
        await visitor.value
    }

    @Test("A question waits for its answer, and for nothing where there is no room for it")
    func question() async {
        let mailbox = Mailbox<@Sendable () -> Void>(bound: 1, policy: .refuseNewest)
        async let asked: Void = mailbox.ask { $0 }
        await mailbox.next()?()
        await asked
        mailbox.send {}
        await mailbox.ask { $0 }
        mailbox.finish()
        await mailbox.ask { $0 }
    }

    @Test func cancellationEndsTheWait() async {
        let mailbox = Mailbox<Int>(bound: 1, policy: .refuseNewest)
        let task = Task { await mailbox.next() }
        task.cancel()
        #expect(await task.value == nil)
    }

    @Test func nothingIsLostBetweenSendersAndAReaderWithDeadlines() async {
        let time = ManualTime()
        let mailbox = Mailbox<Int>(bound: 10_000, policy: .refuseNewest)
        let count = 5_000
        await withTaskGroup(of: Int.self) { group in
            for sender in 0..<2 {
                group.addTask {
                    for number in 0..<count { mailbox.send(sender * count + number) }
                    return 0
                }
            }
            group.addTask {
                var sum = 0
                var received = 0
                while received < 2 * count {
                    if case .element(let number) = await mailbox.next(until: time.now + .seconds(1), on: time) {
                        sum += number
                        received += 1
                    }
                }
                return sum
            }
            var total = 0
            for await sum in group { total += sum }
            #expect(total == (0..<2 * count).reduce(0, +))
        }
    }
}
