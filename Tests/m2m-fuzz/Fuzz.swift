import FuzzTargets
import Glibc

// libFuzzer brings `main` along, and calls the two functions below (https://llvm.org/docs/LibFuzzer.html): there is
// nothing else in this program.

/// The target that is searched.
private nonisolated(unsafe) var target: FuzzTarget?  // safe: set once, before anything is tried, on the only thread

/// Takes the name of the target from the arguments, and leaves the rest to libFuzzer.
@_cdecl("LLVMFuzzerInitialize")
func begin(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
    let name = count.pointee > 1 ? arguments.pointee[1].map { String(cString: $0) } : nil
    if name == "list" {
        for target in FuzzTarget.all { print(([target.name] + target.seeds).joined(separator: " ")) }
        exit(0)
    }
    target = FuzzTarget.all.first { $0.name == name }
    guard target != nil else {
        say("which target? `m2m-fuzz list` shows them; m2m-fuzz TARGET [ARGUMENTS OF LIBFUZZER]")
        exit(2)
    }
    arguments.pointee[1] = arguments.pointee[0]
    arguments.pointee += 1
    count.pointee -= 1
    return 0
}

/// Tries some bytes.
@_cdecl("LLVMFuzzerTestOneInput")
func tryOne(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do throws(BrokenPromise) {
        _ = try target?.check([UInt8](UnsafeBufferPointer(start: data, count: count)))
    } catch {
        say("a promise is broken: \(error)")
        abort()
    }
    return 0
}

private func say(_ words: String) {
    let line = "m2m-fuzz: \(words)\n"
    _ = line.utf8.withContiguousStorageIfAvailable { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
