# broken.sh - set-ups that are broken one after the other, and cured by typing what the doctor says: for packages-test,
# beside promises.sh.
# shellcheck shell=dash

config=/etc/m2m-agent/agent.toml
boot=/boot/firmware/config.txt

doctored() {
    mkdir -p ${boot%/*}
    m2m-agent config-txt >$boot
    cp $config /tmp/agent.toml.before
    broken "the keeper is stopped" keeper "m2m-keeper does not run" systemctl stop m2m-keeper
    broken "the agent is stopped" agent "m2m-agent does not run" systemctl disable --now m2m-agent
    broken "the agent is not started at boot" agent "not started at boot" systemctl disable m2m-agent
    broken "the agent may not open the chip" devices "may not open /dev/gpiochip0" chgrp root /dev/gpiochip0
    broken "there is no group for buses" devices "there is no group i2c" groupdel i2c
    broken "the agent may not open the bus" devices "may not open /dev/i2c-1" chmod 600 /dev/i2c-1
    broken "the firmware leaves the relay alone" boot-values "does not make heater safe" truncate --size=0 $boot
    broken "the configuration is gone" configuration "there is no $config" rm $config
    cp /tmp/agent.toml.before $config
    systemctl restart m2m-agent
    broken "the sensor is at another address" i2c "nothing answers at 0x77" readdressed
    broken "the agent is hardly confined" hardening "m2m-agent is exposed by" loosened
    broken "nobody reads the store of the past" store "was damaged" touch /var/lib/m2m-agent/store.db.damaged
    cp /tmp/agent.toml.before $config
    systemctl restart m2m-agent
    promise "the device is online after all that" shows '"state":"online"' m2m devices --json
}

# broken TEXT PLACE FINDING COMMAND...: after the command the doctor has that finding, and what it says cures it.
broken() {
    local text="$1" place="$2" finding="$3"
    shift 3
    "$@" >/tmp/breaking 2>&1 || give_up "not broken: $text" /tmp/breaking
    promise "$text: the doctor names it" names "$place" "$finding"
    cure "$place" "$finding" >/tmp/cure
    sed 's/^/# cure: /' /tmp/cure
    promise "and a cure" sh -e /tmp/cure
    promise "which helps" names_no_more "$place" "$finding"
}

names() {
    m2m doctor >/tmp/doctor
    grep -E "^(warning|fault) +$1 .*$2" /tmp/doctor || { grep "^[a-z]* *$1 " /tmp/doctor; false; }
}
names_no_more() { ! names "$1" "$2" && grep "^[a-z]* *$1 " /tmp/doctor; }

# cure PLACE FINDING: what the doctor says to type.
cure() {
    awk -v place="$1" -v finding="$2" '
        /^(ok|note|warning|fault)/ { hit = $2 == place && index($0, finding) }
        hit && $1 == "cure:" { sub(/^ *cure: */, ""); print }' /tmp/doctor
}

readdressed() {
    sed -i 's/^model = "bmp280"/&\naddress = 0x77/' $config && systemctl reload m2m-agent
}

loosened() {
    mkdir -p /etc/systemd/system/m2m-agent.service.d
    printf '[Service]\nProtectSystem=no\nSystemCallFilter=\nCapabilityBoundingSet=~\nProtectHome=no\n' \
        >/etc/systemd/system/m2m-agent.service.d/loose.conf
    systemctl daemon-reload && systemctl restart m2m-agent
}
