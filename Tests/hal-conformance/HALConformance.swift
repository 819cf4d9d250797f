import DeviceModel
import Glibc
import HAL
import HALTestKit

/// Puts this machine's board to the test: what every board promises, one line for each promise (TAP, testanything.org).
///
/// It is made for the guest of Scripts/vm, where gpio-sim and i2c-stub play the hardware. `--ambiguous NAME` says that
/// two lines have this name. Exit 0: every promise is kept.
@main
struct HALConformance {
    static func main() async {
        var ambiguous: LineReference?
        var words = CommandLine.arguments.dropFirst()
        if words.popFirst() == "--ambiguous", let name = words.popFirst() { ambiguous = .name(name) }
        let bench: GPIOSimBench
        do {
            bench = try GPIOSimBench(ambiguous: ambiguous)
        } catch {
            print("Bail out! \(error.explanation)")
            exit(1)
        }
        print("TAP version 13\n1..\(BoardConformance.checks.count)")
        var isKept = true
        for (index, check) in BoardConformance.checks.enumerated() {
            do {
                try await check.run(bench)
                print("ok \(index + 1) - \(check)")
            } catch {
                isKept = false
                print("not ok \(index + 1) - \(check)\n# \(error.explanation)")
            }
        }
        exit(isKept ? 0 : 1)
    }
}
