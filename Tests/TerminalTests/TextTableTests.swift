import DeviceModel
import Glibc
import Testing

@testable import Terminal

/// Tables stand in straight columns, whatever is in them.
@Suite(.timeLimit(.minutes(1))) struct TextTableTests {
    private func lines(_ header: [String], _ rows: [[String]]) -> [String] {
        var table = TextTable(header)
        for row in rows { table.add(row) }
        return table.lines.map(bare)
    }

    /// A line as it looks: without what only sets it off.
    private func bare(_ line: String) -> String {
        line.replacing(/\u{1B}\[[0-9;]*m/, with: "")
    }

    @Test("Columns are as wide as they need to be, two spaces apart, and no line ends in spaces") func widths() {
        #expect(
            lines(["PROPERTY", "VALUE", "TIME"], [["climate.temperature", "21.46 °C", "08:00"], ["a", "b", "c"]]) == [
                "PROPERTY             VALUE     TIME",
                "climate.temperature  21.46 °C  08:00",
                "a                    b         c",
            ])
        #expect(lines(["A", "B"], [["long", ""], ["", "x"]]) == ["A     B", "long", "      x"])
    }

    @Test("A table without rows is its header, and says that it has none") func empty() {
        var table = TextTable(["DEVICE", "STATE"])
        #expect(table.isEmpty)
        #expect(table.lines.map(bare) == ["DEVICE  STATE"])
        table.add(["greenhouse", "online"])
        #expect(!table.isEmpty)
    }

    /// Where the last column begins in each line, counted in places on the screen.
    private func lastColumns(_ cells: [String]) -> Set<Int> {
        Set(
            lines(["FIRST", "LAST"], cells.map { [$0, "|"] }).dropFirst().map {
                places(String($0.prefix { $0 != "|" }))
            })
    }

    /// How many places a text takes on the screen: what is wide takes two, what only sets off none.
    private func places(_ text: String) -> Int {
        bare(text).reduce(0) { $0 + ($1.unicodeScalars.contains { $0.value >= 0x1100 } ? 2 : 1) }
    }

    @Test("Units, accents and letters put together of several take the places that they take on the screen")
    func narrow() {
        #expect(
            lastColumns(["21.46 °C", "1006.53 hPa", "µ", "Gewächshaus", "Gewa\u{308}chshaus", "e\u{301}\u{323}"]).count
                == 1)
    }

    @Test("Letters that are twice as wide take two places") func wide() {
        #expect(lastColumns(["温室", "greenhouse", "🌱"]).count == 1)
    }

    @Test("Words that are set off stand where they would stand without") func coloured() {
        #expect(lastColumns(["\u{1B}[32mgood\u{1B}[0m", "\u{1B}[31mfailed\u{1B}[0m", "good"]).count == 1)
        let plain = lines(["QUALITY", "TIME"], [["good", "08:00"], ["failed", "08:01"]])
        let set = lines(
            ["QUALITY", "TIME"], [["\u{1B}[32mgood\u{1B}[0m", "08:00"], ["\u{1B}[31mfailed\u{1B}[0m", "08:01"]])
        #expect(set == plain)
    }
}
