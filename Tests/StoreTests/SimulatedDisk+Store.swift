import DeviceManager
import DeviceModel
import Store
import TestSupport

extension SimulatedDisk {
    /// Where the store's database is.
    var path: String { path("store.db") }

    /// Opens the store, as a new start of the agent does.
    func open(
        size: Int = 67_108_864, age: Duration = .seconds(86_400),
        whenFull: AgentConfiguration.Store.WhenFull = .dropOldest, hasRouter: Bool = true, time: any TimeSource,
        newEpoch: @escaping @Sendable () -> UInt64 = { .random(in: 1...(.max)) }
    ) throws(StoreError) -> Store {
        let bounds = Store.Bounds(size: size, age: age, whenFull: whenFull, hasRouter: hasRouter)
        return try Store(path: path, bounds: bounds, time: time, newEpoch: newEpoch)
    }
}
