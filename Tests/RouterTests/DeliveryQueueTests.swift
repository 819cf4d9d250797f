import DeviceModel
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: what has to be stored waits in the order of its stream, and never more of it than the bound; who brings more
/// waits.
@Suite(.timeLimit(.minutes(1))) struct DeliveryQueueTests {
    private let queue = DeliveryQueue()

    private func batch(_ number: UInt64) -> DeliveryQueue.Delivery { .batch(Sample.batch([Sample.reading(number)])) }

    /// The first number of each batch; nil: it is no batches.
    private func numbers(_ portion: DeliveryQueue.Portion?) -> [UInt64]? {
        guard case .batches(let batches) = portion else { return nil }
        return batches.compactMap(\.items.first?.sequence)
    }

    @Test("Everything comes out in the order in which it was brought, and never more of it waits than the bound")
    func order() async {
        let brought = Mailbox<UInt64>(bound: 200, policy: .refuseNewest)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [queue] in
                for number: UInt64 in 1...200 {
                    await queue.put(.batch(Sample.batch([Sample.reading(number)])))
                    brought.send(number)
                }
                queue.finish()
            }
            var stored: UInt64 = 0
            while let portion = await queue.next() {
                #expect(numbers(portion) == Array(stored + 1...stored + UInt64(portion.count)))
                // These are not stored yet: they and the others have their places.
                #expect(brought.count <= Int(stored) + DeliveryQueue.bound)
                stored += UInt64(portion.count)
                queue.stored(portion)
            }
            #expect(stored == 200)
        }
    }

    @Test("Whoever waits for room is let go when they are cancelled")
    func cancelled() async {
        for number: UInt64 in 1...UInt64(DeliveryQueue.bound) { await queue.put(batch(number)) }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [queue] in await queue.put(.description(Sample.description("greenhouse"))) }
            group.cancelAll()
        }
        queue.finish()
        #expect(numbers(await queue.next()) == Array(1...UInt64(DeliveryQueue.bound)))
        #expect(await queue.next() == nil)
    }

    @Test("Events, and with them the results of commands, go past readings; of each stream all stays in its order")
    func eventsFirst() async {
        for number: UInt64 in 1...4 {
            await queue.put(batch(number))
            await queue.put(.batch(Sample.batch([Sample.event(10 + number)], stream: .events)))
        }
        queue.finish()
        #expect(numbers(await queue.next()) == [11, 12, 13, 14])
        #expect(numbers(await queue.next()) == [1, 2, 3, 4])
        #expect(await queue.next() == nil)
    }

    @Test("No more is stored in one go than others may wait for, and one batch is never too much")
    func portions() async {
        for size in [1_500, 400, 101, 2_500, 1] {
            await queue.put(.batch(Sample.batch(Sample.readings(1...UInt64(size)))))
        }
        queue.finish()
        var counts: [Int] = []
        while let portion = await queue.next() { counts.append(portion.count) }
        #expect(counts == [2, 1, 1, 1])
    }

    @Test("What was brought before the end can still be taken")
    func finish() async {
        await queue.put(batch(1))
        queue.finish()
        #expect(numbers(await queue.next()) == [1])
        #expect(await queue.next() == nil)
    }
}
