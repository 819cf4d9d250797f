import DeviceModel
import TestSupport
import Testing
import Wire

/// Whatever has to be begun in a time, a command or a renewal, ends at one point of the clock of whom is asked: never
/// later than its expiry and never later than a minute, whether it is read at once or late.
@Suite struct ExpiringTests {
    private static let now = MonotonicTime(nanoseconds: 100_000_000_000)

    private static func requests(_ expiry: Duration, _ deadline: MonotonicTime?) -> [Request] {
        let heater = Address(component: "heater")
        return [
            .call(CallRequest(id: "c1", address: heater, action: "on", expiry: expiry, deadline: deadline)),
            .renew(
                LeaseRenewalRequest(
                    address: heater, lease: "l1", duration: .seconds(10), expiry: expiry, deadline: deadline)),
        ]
    }

    @Test(
        "What is dated ends with its expiry or its deadline, whichever is first, and not before now",
        arguments: [
            (Duration.seconds(10), nil, Duration.seconds(10)), (.seconds(86_400), nil, .seconds(60)),
            (.seconds(10), Duration.seconds(4), .seconds(4)), (.seconds(10), .seconds(40), .seconds(10)),
            (.seconds(10), .seconds(-1), .zero), (.zero, nil, .zero),
        ] as [(Duration, Duration?, Duration)])
    func dated(expiry: Duration, deadline: Duration?, end: Duration) {
        let dated = Self.requests(expiry, deadline.map { Self.now + $0 }).map { $0.dated(at: Self.now) }
        #expect(dated == Self.requests(expiry, Self.now + end))
    }

    @Test("What does not have to be begun in a time has no deadline, and stays as it is") func undated() {
        for request in [Request.whoami, .read(Address()), .drive(line: "GPIO17", isActive: true)] {
            #expect(request.expiry == nil)
            #expect(request.dated(at: Self.now) == request)
        }
    }
}
