import Components
import DeviceModel
import HAL

/// Takes the line of one output, drives it as it is told, and takes it anew when it was lost.
struct OutputDriver: Sendable {
    /// What it is told.
    enum Work: Sendable {
        case drive(OutputDrive)
        /// The line was lost.
        case retake
    }

    let id: ComponentID
    let plan: OutputPlan
    let holder: any OutputHolder
    /// Work that waits: one drive is under way at a time, and one loss is as good as two.
    let works = Mailbox<Work>(bound: 4, policy: .refuseNewest)
    let time: any TimeSource
    let inputs: Mailbox<OutputService.Input>

    /// The line has to be taken anew.
    func retake() {
        if works.count < 2 { works.send(.retake) }
    }

    /// Runs until it is told no more; the line is given back then.
    func run() async {
        var backoff = Backoff(first: .milliseconds(250), cap: .seconds(30), jitter: .none)
        var generator = SystemRandomNumberGenerator()
        while true {
            do throws(HALError) {
                let output = try await holder.take(id, plan)
                tell(.found(id, output.found))
                guard try await serve(output, { backoff.succeeded() }) else { break }
            } catch {
                tell(.lost(id, error.description))
                let pause = backoff.failed(using: &generator)
                if case .finished = await works.next(until: time.now + pause, on: time) { break }
            }
        }
        inputs.send(.ended(works, id))
    }

    private func tell(_ event: Outputs.Event) {
        inputs.send(.driver(works, event))
    }

    /// Does what is to be done with a line, and gives it back.
    ///
    /// - Parameters:
    ///   - output: The line.
    ///   - hasWorked: Called when it was driven: to be taken is no proof that it works.
    /// - Returns: Whether it has to be taken anew; else it is over.
    /// - Throws: ``HALError`` when it can't be driven; it was given back all the same.
    private func serve(_ output: any HeldOutput, _ hasWorked: () -> Void) async throws(HALError) -> Bool {
        do throws(HALError) {
            let isOver = try await work(on: output, hasWorked)
            await output.release()
            return !isOver
        } catch {
            await output.release()
            throw error
        }
    }

    /// - Returns: Whether there is nothing more to do.
    private func work(on output: any HeldOutput, _ hasWorked: () -> Void) async throws(HALError) -> Bool {
        while let work = await works.next() {
            switch work {
            case .retake: return false
            case .drive(let drive):
                let isDone =
                    drive.isChange
                    ? try await output.drive(drive.value, until: drive.until, notAfter: drive.notAfter)
                    : try await output.keep(drive.value, until: drive.until, notAfter: drive.notAfter)
                hasWorked()
                tell(isDone ? .driven(id, number: drive.number) : .tooLate(id, number: drive.number))
            }
        }
        return true
    }
}
