import CLinux
import DeviceModel
import Glibc
import HAL

/// What Linux says of the machine, from /proc and /sys.
struct LinuxHost: Host {
    let stateDirectory: String

    /// What the machine calls itself: the device tree's model, else the processor's architecture.
    static var boardName: String {
        if let model = readFile("/proc/device-tree/model"), !model.isEmpty { return model }
        return "Linux machine" + (readFile("/sys/class/dmi/id/product_name").map { " (\($0))" } ?? "")
    }

    func read() -> HostReadings {
        var readings = HostReadings()
        readings.processorTemperature = processorTemperature
        readings.load = load
        readings.memoryUsed = memoryUsed
        let disk = clinux_disk_used(stateDirectory)
        readings.diskUsed = disk >= 0 ? disk : nil
        (readings.isUnderVoltage, readings.isThrottled) = supply
        return readings
    }

    /// The first thermal zone, in millidegrees Celsius (Documentation/driver-api/thermal/sysfs-api.rst).
    private var processorTemperature: Double? {
        readFile("/sys/class/thermal/thermal_zone0/temp").flatMap(Double.init).map { $0 / 1_000 + 273.15 }
    }

    /// The first number of /proc/loadavg, for each processor.
    private var load: Double? {
        let average = readFile("/proc/loadavg")?.split(separator: " ").first.flatMap { Double($0) }
        let processors = Double(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        return average.map { $0 / max(1, processors) }
    }

    /// What is neither free nor could be freed at once.
    private var memoryUsed: Double? {
        guard let text = readFile("/proc/meminfo") else { return nil }
        func kilobytes(_ name: String) -> Double? {
            text.split(separator: "\n").first { $0.hasPrefix("\(name):") }?
                .split(separator: " ").dropFirst().first.flatMap { Double($0) }
        }
        guard let total = kilobytes("MemTotal"), let available = kilobytes("MemAvailable"), total > 0 else {
            return nil
        }
        return 1 - available / total
    }

    /// What the Raspberry Pi's firmware says: bit 0 under-voltage, bits 1 to 3 slowed down (documentation of
    /// `vcgencmd get_throttled`); kernels without that file tell the under-voltage as the alarm of a voltage sensor.
    private var supply: (isUnderVoltage: Bool?, isThrottled: Bool?) {
        if let text = readFile("/sys/devices/platform/soc/soc:firmware/get_throttled"), let bits = Int(text, radix: 16)
        {
            return (bits & 0b1 != 0, bits & 0b1110 != 0)
        }
        let sensors = directoryEntries("/sys/class/hwmon").map { "/sys/class/hwmon/\($0)" }
        let supply = sensors.first { readFile("\($0)/name") == "rpi_volt" }
        return (supply.flatMap { readFile("\($0)/in0_lcrit_alarm") }.map { $0 != "0" }, nil)
    }
}
