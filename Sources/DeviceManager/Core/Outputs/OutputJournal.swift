import Components
import DeviceModel
import HAL

/// What a run of the agent writes down of its outputs for the next one: whose word it is that they are as they are.
///
/// It is kept on a tmpfs, and says nothing after a boot. A plain value; its text is a line for each output.
struct OutputJournal: Hashable, Sendable {
    /// What is written down of one output.
    struct Entry: Hashable {
        var claim: Output.Claim
        var onSince: MonotonicTime?
        var offSince: MonotonicTime?
        var counters = OutputCounters()
    }

    /// The boot in which it was written.
    let boot: BootID
    /// Since when there was no link; nil: there was one.
    var linkDownSince: MonotonicTime?
    var entries: [ComponentID: Entry] = [:]

    init(boot: BootID, linkDownSince: MonotonicTime? = nil, entries: [ComponentID: Entry] = [:]) {
        self.boot = boot
        self.linkDownSince = linkDownSince
        self.entries = entries
    }

    private static let head = "m2m-agent outputs 2"

    /// The journal as a text.
    var text: String {
        var lines = [Self.head, "boot \(boot)"]
        if let linkDownSince { lines.append("link-down \(linkDownSince.nanoseconds)") }
        for (id, entry) in entries.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            lines.append((["output \(id)"] + entry.fields.map { "\($0)=\(escaped($1))" }).joined(separator: " "))
        }
        let body = lines.map { $0 + "\n" }.joined()
        return body + "end \(Checksum.of(body).text)\n"
    }

    /// Reads a journal.
    ///
    /// Nil when the text is none, or is damaged: then nothing is known, and what is away from safe is made safe.
    ///
    /// - Parameter text: What was written.
    init?(text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
        guard lines.count >= 3, lines[0] == Self.head, let end = lines.last, text.hasSuffix("\(end)\n"),
            end == "end \(Checksum.of(text.dropLast(end.count + 1)).text)"
        else { return nil }
        var boot: BootID?
        for line in lines.dropFirst().dropLast() {
            let words = line.split(separator: " ").map(String.init)
            guard words.count >= 2 else { return nil }
            switch words[0] {
            case "boot": boot = BootID(text: words[1])
            case "link-down":
                guard let nanoseconds = Int64(words[1]) else { return nil }
                linkDownSince = MonotonicTime(nanoseconds: nanoseconds)
            case "output":
                guard let id = ComponentID(rawValue: words[1]), let entry = Entry(words.dropFirst(2)) else {
                    return nil
                }
                entries[id] = entry
            default: return nil
            }
        }
        guard let boot else { return nil }
        self.boot = boot
    }
}

extension OutputJournal.Entry {
    fileprivate var fields: [(String, String)] {
        var fields = [("wanted", claim.wanted.rawValue), ("cause", claim.cause.words), ("who", claim.who)]
        if claim.cameOverLink { fields.append(("link", "1")) }
        if let holder = claim.holder {
            fields += [("lease", holder.lease.rawValue), ("holder", holder.who)]
            if holder.isRenewed { fields.append(("renewed", "1")) }
        }
        let times = [("end", claim.end), ("on", onSince), ("off", offSince)]
        fields += times.compactMap { name, time in time.map { (name, "\($0.nanoseconds)") } }
        let numbers = [
            ("switches", counters.switches), ("refusals", counters.refusals), ("lease-ends", counters.leaseEnds),
            ("interventions", counters.interventions),
        ]
        return fields + numbers.filter { $0.1 > 0 }.map { ($0, "\($1)") }
    }

    private static let numbers = ["end", "on", "off", "switches", "refusals", "lease-ends", "interventions"]

    fileprivate init?(_ words: some Sequence<String>) {
        var fields: [String: String] = [:]
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, let value = unescaped(parts[1]) else { return nil }
            fields[parts[0]] = value
        }
        guard Self.numbers.allSatisfy({ fields[$0].map { Int64($0) != nil } ?? true }) else { return nil }
        func number(_ name: String) -> Int64? { fields[name].flatMap { Int64($0) } }
        func time(_ name: String) -> MonotonicTime? { number(name).map { MonotonicTime(nanoseconds: $0) } }
        guard let wanted = fields["wanted"].flatMap(LineValue.init), let cause = fields["cause"] else { return nil }
        claim = Output.Claim(wanted: wanted, cause: .before(cause))
        claim.who = fields["who"] ?? ""
        claim.cameOverLink = fields["link"] != nil
        claim.end = time("end")
        if let lease = fields["lease"] {
            guard let id = LeaseID(rawValue: lease) else { return nil }
            claim.holder = Output.Holder(
                lease: id, who: fields["holder"] ?? "", isRenewed: fields["renewed"] != nil)
        }
        (onSince, offSince) = (time("on"), time("off"))
        func count(_ name: String) -> Int { number(name).map { Int($0) } ?? 0 }
        counters = OutputCounters(
            switches: count("switches"), refusals: count("refusals"), leaseEnds: count("lease-ends"),
            interventions: count("interventions"))
    }
}

/// A value without spaces and line feeds: what is none of the harmless letters is written as `%` and two digits.
private func escaped(_ text: String) -> String {
    text.utf8.map { byte in
        let isHarmless = (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "%")
        return isHarmless ? String(UnicodeScalar(byte)) : "%" + [byte].hexadecimal
    }.joined()
}

private func unescaped(_ text: String) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
            bytes.append(byte)
            continue
        }
        guard rest.count >= 2, let coded = [UInt8](hexadecimal: String(decoding: rest.prefix(2), as: UTF8.self))
        else { return nil }
        bytes += coded
        rest = rest.dropFirst(2)
    }
    return String(decoding: bytes, as: UTF8.self)
}
