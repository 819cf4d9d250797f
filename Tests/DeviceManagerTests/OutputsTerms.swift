import Components
import DeviceModel
import HAL
import TestSupport

@testable import DeviceManager

/// The rules of one output in plain numbers: milliseconds and yes or no.
struct OutputTerms: Sendable {
    var safeOn = false
    /// How long it stays without the agent; nil: safe at once.
    var hold: Int?
    /// How long what the router switched stays without it; nil: for good.
    var linkAfter: Int?
    var maxOn: Int?
    var minOn = 0
    var minOff = 0
    /// The outputs that it names in its interlock; those need not name it.
    var interlock: Set<Int> = []
    var pause = 0

    /// The same as the agent is configured with it.
    var rules: OutputRules {
        var rules = OutputRules(safe: LineValue(on: safeOn))
        rules.onAgentLost = hold.map { .hold(.milliseconds($0)) } ?? .safe
        rules.onLinkLost = linkAfter.map { .safe(after: .milliseconds($0)) } ?? .hold
        rules.maxOn = maxOn.map { .milliseconds($0) }
        (rules.minOn, rules.minOff) = (.milliseconds(minOn), .milliseconds(minOff))
        rules.interlock = Set(interlock.map(OutputTerms.id))
        rules.interlockDelay = .milliseconds(pause)
        return rules
    }

    /// The name of an output.
    static func id(_ index: Int) -> ComponentID { ids[index] }

    /// The output of a name.
    static func index(_ id: ComponentID) -> Int { ids.firstIndex(of: id) ?? -1 }

    private static let ids: [ComponentID] = ["alpha", "beta", "gamma", "delta"]

    /// Two to four outputs under random rules.
    static func random(using generator: inout SeededGenerator) -> [OutputTerms] {
        func some(_ values: [Int]) -> Int { values.randomElement(using: &generator) ?? 0 }
        let count = some([2, 2, 3, 4])
        var all = (0..<count).map { _ in
            var terms = OutputTerms()
            terms.safeOn = some([0, 0, 0, 1]) == 1
            if some([0, 1]) == 1 { terms.hold = some([200, 1_000, 5_000]) }
            if some([0, 1]) == 1 { terms.linkAfter = some([0, 100, 500, 2_000]) }
            if some([0, 1]) == 1 { terms.minOn = some([50, 100, 500]) }
            if some([0, 1]) == 1 { terms.minOff = some([50, 100, 500, 1_000]) }
            if some([0, 1]) == 1, !terms.safeOn { terms.maxOn = some([500, 1_000, 2_000]) }
            if some([0, 1]) == 1 { terms.pause = some([50, 200, 500]) }
            return terms
        }
        let switches = all.indices.filter { !all[$0].safeOn }
        for one in switches {
            for other in switches where one != other && some([0, 0, 1]) == 1 { all[one].interlock.insert(other) }
        }
        return all
    }
}

/// What happens to the outputs, for the machine and for the model alike.
enum OutputStimulus {
    case found(Int, on: Bool, KeeperReason?, until: Int? = nil)
    case lost(Int)
    case order(OutputCall)
    case renew(OutputRenewal)
    case driven(Int, number: Int)
    case tooLate(Int, number: Int)
    case madeSafe(Int, KeeperReason)
    case link(isUp: Bool)
    case stop
    case tick

    /// The same for the machine.
    var event: Outputs.Event {
        switch self {
        case .found(let output, let on, let reason, let until):
            .found(
                OutputTerms.id(output),
                FoundOutput(value: LineValue(on: on), reason: reason, until: until.map { .milliseconds($0) }))
        case .lost(let output): .lost(OutputTerms.id(output), "the cable is gone")
        case .order(let call): .order(call.order)
        case .renew(let renewal): .renew(renewal.renewal, number: renewal.number)
        case .driven(let output, let number): .driven(OutputTerms.id(output), number: number)
        case .tooLate(let output, let number): .tooLate(OutputTerms.id(output), number: number)
        case .madeSafe(let output, let reason): .madeSafe(OutputTerms.id(output), reason)
        case .link(let isUp): .link(isUp: isUp)
        case .stop: .stop
        case .tick: .tick
        }
    }
}

/// A command in plain numbers.
struct OutputCall {
    enum Wish { case on, off, toggle, pulse(Int) }
    enum Source: CaseIterable { case router, local, binding }

    var number: Int
    var output: Int
    var wish: Wish
    var source: Source
    var lease: (id: Int, length: Int, isRenewed: Bool)?
    var deadline: Int

    var order: OutputOrder {
        let origin: Command.Origin =
            switch source {
            case .router: .router(account: "anna")
            case .local: .local(uid: 1_000, user: "ben")
            case .binding: .binding("switch")
            }
        let wish: OutputWish =
            switch wish {
            case .on: .set(.active)
            case .off: .set(.inactive)
            case .toggle: .toggle
            case .pulse(let length): .pulse(.milliseconds(length))
            }
        return OutputOrder(
            number: number, component: OutputTerms.id(output), wish: wish,
            lease: lease.map {
                Lease(id: .numbered($0.id), duration: .milliseconds($0.length), isRenewed: $0.isRenewed)
            },
            deadline: .milliseconds(deadline), origin: origin)
    }
}

/// A renewal in plain numbers; its end where `length` is 0.
struct OutputRenewal {
    var number: Int
    var output: Int
    var lease: Int
    var length: Int
    var deadline: Int

    var renewal: LeaseRenewal {
        LeaseRenewal(
            component: OutputTerms.id(output), lease: .numbered(lease), duration: .milliseconds(length),
            deadline: .milliseconds(deadline))
    }
}

extension LeaseID {
    static func numbered(_ number: Int) -> LeaseID { LeaseID(stringLiteral: "lease-\(number)") }
}

extension LineValue {
    init(on: Bool) { self = on ? .active : .inactive }
}

extension MonotonicTime {
    /// So many milliseconds after the boot.
    static func milliseconds(_ count: Int) -> MonotonicTime {
        MonotonicTime(nanoseconds: Int64(count) * 1_000_000)
    }
}

/// How a command ended, and for a refusal by which rule.
enum OutputEnd: Hashable {
    case done, failed, expired, unknown
    case refused(String)
}
