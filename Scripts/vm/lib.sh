# shellcheck shell=dash
# Hands for tests in the guest: `. /lib.sh` in a shell there.
#
# A LINE is what a line is called, or LABEL/OFFSET of its chip.

# pull LINE up|down: moves the voltage of an input from outside.
pull() {
    local line
    line=$(line_directory "$1") && echo "pull-$2" >"$line/pull"
}

# pull_of LINE: prints where its resistor pulls, up or down, whoever has set that.
pull_of() {
    local line
    line=$(line_directory "$1") && sed 's/pull-//' "$line/pull"
}

# level LINE: prints the voltage on a line, 0 or 1, whoever drives it.
level() {
    local line
    line=$(line_directory "$1") && cat "$line/value"
}

# line_directory LINE: prints where gpio-sim shows it.
line_directory() {
    local line chip found=
    case $1 in
    */*) found=/run/gpio-sim/${1%/*}/sim_gpio${1##*/} ;;
    *)
        for line in /sys/kernel/config/gpio-sim/*/bank/line*; do
            [ "$(cat "$line/name")" = "$1" ] || continue
            [ -z "$found" ] || { echo "two lines are called $1; write LABEL/OFFSET" >&2; return 1; }
            chip=${line%/bank/*}
            found=/sys/devices/platform/$(cat "$chip/dev_name")/$(cat "$chip/bank/chip_name")/sim_gpio${line##*/line}
        done
        ;;
    esac
    [ -e "$found" ] || { echo "no line is called $1" >&2; return 1; }
    echo "$found"
}

# bmp280_driver [ADDRESS]: gives the sensor to the kernel's own driver and prints what that makes of its registers, in
# thousandths of a degree and in kPa. The driver keeps the address until bmp280_release.
bmp280_driver() {
    local address="${1:-0x76}" module
    for module in industrialio bmp280 bmp280-i2c; do
        [ -e "/sys/module/$(echo "$module" | tr - _)" ] || insmod "/modules/$module.ko" || return 1
    done
    echo "bmp280 $address" >/sys/bus/i2c/devices/i2c-1/new_device || return 1
    cat "/sys/bus/i2c/devices/1-00${address#0x}/iio:device"*/in_temp_input \
        "/sys/bus/i2c/devices/1-00${address#0x}/iio:device"*/in_pressure_input
}

# bmp280_release [ADDRESS]: takes it from the driver again.
bmp280_release() {
    echo "${1:-0x76}" >/sys/bus/i2c/devices/i2c-1/delete_device
}
