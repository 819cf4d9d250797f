import CLinux
import Testing

/// Promise: the network has come back when there is an address, a default route or a cable that was not there before; what
/// the kernel only says again is no news (rtnetlink(7)).
struct NetworkMonitorTests {
    private var known = clinux_network()

    private func bytes(_ value: UInt32, _ count: Int = 4) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private func message(_ type: UInt32, _ body: [UInt8]) -> [UInt8] {
        bytes(UInt32(16 + body.count)) + bytes(type, 2) + bytes(0, 2) + bytes(0) + bytes(0) + body
    }

    private func address(_ last: UInt8, link: UInt32 = 2, isGone: Bool = false) -> [UInt8] {
        let attribute = bytes(8, 2) + bytes(1, 2) + [192, 0, 2, last]
        return message(isGone ? 21 : 20, [2, 24, 0, 0] + bytes(link) + attribute)
    }

    private func cable(_ flags: UInt32, link: UInt32 = 2) -> [UInt8] {
        message(16, bytes(0, 2) + bytes(1, 2) + bytes(link) + bytes(flags) + bytes(0))
    }

    private mutating func isBack(_ messages: [UInt8]) -> Bool {
        messages.withUnsafeBytes { clinux_network_is_back($0.baseAddress, $0.count, &known) }
    }

    @Test("An address is news once, on each link, and again after it was gone") mutating func addresses() {
        #expect(isBack(address(1)))
        #expect(!isBack(address(1)))
        #expect(isBack(address(1, link: 3)))
        #expect(!isBack(address(1, isGone: true)))
        #expect(isBack(address(1)))
        #expect(!isBack(address(1) + address(1, link: 3)))
        #expect(isBack(address(1) + address(2)))
    }

    @Test("Of more addresses than are known at a time the oldest is forgotten") mutating func manyAddresses() {
        for number in UInt8(0)...64 { #expect(isBack(address(number))) }
        #expect(!isBack(address(64)))
        #expect(isBack(address(0)))
    }

    @Test("A cable is news when it carries something again; the machine's link to itself never") mutating func cables()
    {
        let (running, loopback): (UInt32, UInt32) = (0x40, 0x8)
        #expect(isBack(cable(running)))
        #expect(!isBack(cable(running)))
        #expect(!isBack(cable(0)))
        #expect(isBack(cable(running)))
        #expect(!isBack(cable(running | loopback, link: 1)))
    }

    @Test("A default route is news, another one not; and what is cut short is nothing") mutating func routes() {
        let route = { (length: UInt8) in [2, length, 0, 0, 254, 3, 0, 1] + [UInt8](repeating: 0, count: 4) }
        #expect(isBack(message(24, route(0))))
        #expect(!isBack(message(24, route(24))))
        for count in 0..<32 { #expect(!isBack(Array(address(9).prefix(count)))) }
        #expect(!isBack([UInt8](repeating: 0xFF, count: 64)))
    }
}
