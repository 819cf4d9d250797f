extension BoardInventory {
    /// The inventory as people read it, line by line.
    ///
    /// Lines that have neither a name nor a holder are counted only.
    public var lines: [String] {
        var lines = ["board: \(board)"]
        for chip in chips {
            let shown = chip.lines.filter { !$0.name.isEmpty || $0.consumer != nil }
            lines.append("")
            lines.append("\(chip.name)  \(chip.label)  \(chip.lines.count) lines")
            for line in shown {
                let name = padded(line.name.isEmpty ? "-" : line.name, 16)
                let holder = line.consumer.map { "held by \"\($0)\"" } ?? "free"
                let value = line.isActive.map { $0 ? "active  " : "inactive" }
                let columns = [padded("\(line.offset)", 2), name, padded(line.direction, 6), value, holder]
                lines.append("  " + columns.compactMap(\.self).joined(separator: "  "))
            }
            if shown.count < chip.lines.count { lines.append("  and \(chip.lines.count - shown.count) without a name") }
        }
        for bus in buses {
            lines.append("")
            lines.append("i2c-\(bus.number)  \(bus.name)")
            for target in bus.targets {
                let holder = target.isHeldByDriver ? "held by a kernel driver" : "answers"
                lines.append("  0x\(String(target.address, radix: 16))  \(holder)")
            }
            if bus.targets.isEmpty { lines.append("  nothing answers") }
        }
        return lines + problems.map { "problem: \($0)" }
    }
}

private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}
