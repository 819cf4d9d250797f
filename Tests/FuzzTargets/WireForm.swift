import DeviceModel
import Wire

/// How a value stands in bytes, and what is promised of that: whatever is read can be written, and is the same when it is
/// read again.
struct WireForm<Value: Hashable>: Sendable {
    let read: @Sendable ([UInt8]) throws(WireError) -> Value
    let write: @Sendable (Value) -> [UInt8]

    func check(_ bytes: [UInt8]) throws(BrokenPromise) -> Verdict {
        let value: Value
        do throws(WireError) {
            value = try read(bytes)
        } catch {
            guard (0...bytes.count).contains(error.offset) else {
                throw BrokenPromise("an error at byte \(error.offset) of \(bytes.count)")
            }
            return .refused(error.description)
        }
        let written = write(value)
        let again: Value
        do throws(WireError) {
            again = try read(written)
        } catch {
            throw BrokenPromise("\(value) is written as \(written.hexadecimal), which cannot be read: \(error)")
        }
        guard write(again) == written else { throw BrokenPromise("\(value) is written in two ways") }
        // A value in which a number is none does not equal itself, read once more.
        guard again == value || (try? read(bytes)) != value else { throw BrokenPromise("\(value) becomes \(again)") }
        return .read
    }
}
