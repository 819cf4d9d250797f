# board.sh - the board of outputs-test, and who works there: `. ./board.sh` beside /lib.sh, promises.sh and witness.sh.
#
# A button from GPIO17 to ground; five relays and a valve, as the configuration below has them.
# shellcheck shell=dash
# shellcheck disable=SC2034  # the lines are used by whoever reads this file

export M2M_SOCKET=/tmp/agent.sock
table=/var/lib/m2m-keeper/outputs.table # the default, as everything of the keeper here
header=pinctrl-bcm2711
button=$header/17 # low is pressed
heater=$header/5  # low is on, safe is off; outlasts a restart of the agent
pump=$header/6    # low is on, safe is off; does not
fan=$header/22    # low is on, safe is off; outlasts a short one
up=$header/23     # high is on, safe is off; never together with …
down=$header/24   # … this one
valve=$header/25  # high is on, safe is ON
lamp=$header/26   # high is on, safe is off; comes and goes
relays="$heater $pump $fan $up $down $valve"
high="$heater $pump $fan $valve" low="$up $down" # when they are safe

# The hold of the heater is long, because no promise here depends on how fast this machine starts an agent.
cat >/tmp/agent.toml <<'TOML'
[device]
id = "greenhouse"
state_directory = "/tmp/state"
[local]
socket = "/tmp/agent.sock"
[keeper]
[components.switch]
model = "button"
line = "GPIO17"
bias = "pull-up"
active_low = true
on_pressed = "pump on"
[components.heater]
model = "relay"
line = "GPIO5"
active_low = true
safe = "off"
on_agent_lost = { hold = "60s" }
[components.pump]
model = "relay"
line = "GPIO6"
active_low = true
safe = "off"
on_agent_lost = "safe"
[components.fan]
model = "relay"
line = "GPIO22"
active_low = true
safe = "off"
on_agent_lost = { hold = "1s" }
[components.up]
model = "relay"
line = "GPIO23"
safe = "off"
interlock = ["down"]
interlock_delay = "500ms"
[components.down]
model = "relay"
line = "GPIO24"
safe = "off"
[components.valve]
model = "relay"
line = "GPIO25"
safe = "on"
TOML

# MARK: The programs

start_agent() {
    m2m-agent run --config /tmp/agent.toml >>/tmp/agent.log 2>&1 &
    agent=$!
}

# unit KEY: what the service file of the keeper says of it.
unit() { sed -n "s/^$1=//p" m2m-keeper.service; }

keeper_command=$(unit ExecStart)
keeper_command=${keeper_command##*/} # where it is here, PATH says

start_keeper() {
    $keeper_command >>/tmp/keeper.log 2>&1 &
    keeper=$!
}

# restart_keeper: after its death, what systemd does where the service file asks for it; there is no systemd here.
restart_keeper() {
    local delay
    case $(unit Restart) in
    always | on-failure | on-abnormal | on-abort) ;;
    *) return 1 ;;
    esac
    delay=$(unit RestartSec)
    case $delay in
    *ms) usleep "${delay%ms}000" ;;
    *) sleep "$delay" || return ;; # as a number, or with s
    esac
    start_keeper
}

# end SIGNAL PROCESS: ends a process of ours; its exit status.
end() {
    kill "-$1" "$2" && wait "$2" 2>/dev/null
}

# press: the button, until the pump is on.
press() {
    pull $button down
    usleep 100000
    pull $button up
    is_level $pump 0
}

# MARK: What they say

kept() { m2m-keeper status --json | grep "\"output\":\"$1\""; } # OUTPUT: what the keeper says of it
holds() { [ "$(m2m-keeper status --json | grep -c '"held":true')" = "$1" ]; } # NUMBER: whether the keeper has so many
is_adopted() { shows '"until":null' kept heater; } # the heater's hold is over: an agent answers for it
has_applied() { [ "$(grep -c "changed configuration is applied" /tmp/agent.log)" = "$1" ]; } # NUMBER: how often
read_heater() { m2m read heater --json; }
read_pump() { m2m read pump --json; }

# MARK: The lines

are_safe() {
    local line
    for line in $high; do is_level "$line" 1 || return; done
    for line in $low; do is_level "$line" 0 || return; done
}

# are_pulled_to_safe: whether that is where their resistors pull.
are_pulled_to_safe() {
    local line
    for line in $high; do [ "$(pull_of "$line")" = up ] || return; done
    for line in $low; do [ "$(pull_of "$line")" = down ] || return; done
}

# pull_from_safe: sets the resistors of all relays the other way.
pull_from_safe() {
    local line
    for line in $high; do pull "$line" down; done
    for line in $low; do pull "$line" up; done
}

# levels: prints "GPIO5=1 …" of all relays.
levels() {
    local line
    for line in $relays; do printf 'GPIO%s=%s ' "${line##*/}" "$(level "$line")"; done
}

# longest_from WHAT: prints the time from something that the trace shows to the drive of the last of all relays.
longest_from() {
    local line
    for line in $relays; do milliseconds_from "$1" "$(drive_of "$line")"; done | sort -n | tail -n 1
}
