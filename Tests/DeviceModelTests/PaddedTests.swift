import Testing

@testable import DeviceModel

@Suite struct PaddedTests {
    @Test("A number has as many digits as are asked for, and more where it needs them")
    func widths() {
        #expect(7.padded(to: 3) == "007")
        #expect(1_234.padded(to: 3) == "1234")
        #expect(UInt64.max.padded(to: 16, radix: 16) == "ffffffffffffffff")
        #expect(UInt64(0).padded(to: 16, radix: 16) == "0000000000000000")
        #expect(0.padded(to: 0) == "0")
    }
}
