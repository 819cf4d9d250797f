# promises.sh - what tests in the guest are made of: `. ./promises.sh` beside /lib.sh.
#
# Every promise is a line, in the form of TAP: "ok 3 - the relay is off". Lines with # are figures.
# shellcheck shell=dash

number=0 failures=0

# promise TEXT COMMAND...: the command has to hold within PATIENCE, which is 30 s unless a guest is so slow that it is told
# otherwise; where it does not hold, what it said last is shown.
promise() {
    local text="$1"
    shift
    number=$((number + 1))
    if soon "$@"; then
        echo "ok $number - $text"
    else
        echo "not ok $number - $text"
        sed 's/^/#   /' /tmp/last-words
        failures=$((failures + 1))
    fi
}

# soon COMMAND...: whether the command holds within that time.
soon() {
    local deadline
    deadline=$(($(seconds) + ${PATIENCE:-30}))
    until "$@" >/tmp/last-words 2>&1; do
        [ "$(seconds)" -lt $deadline ] || return 1
        usleep 50000
    done
}

# seconds: since the start of the machine.
seconds() { cut -d . -f 1 /proc/uptime; }

# figure TEXT...: something measured, for people.
figure() { echo "# $*"; }

# give_up TEXT FILE...: nothing that follows would mean anything.
give_up() {
    echo "Bail out! $1"
    shift
    cat "$@" /dev/null
    exit 1
}

# the_end FILE...: the sum of it; where a promise was broken, with what these files tell.
the_end() {
    echo "1..$number"
    [ $failures = 0 ] || give_up "$failures of $number promises were not kept" "$@"
}

# MARK: Commands for promises

# shows TEXT COMMAND...: the command's output has the text.
shows() {
    local wanted="$1"
    shift
    "$@" >/tmp/shown 2>&1
    cat /tmp/shown
    grep -q -- "$wanted" /tmp/shown
}

# in_file TEXT FILE
in_file() { grep -q -- "$1" "$2"; }

# is_level LINE 0|1: the voltage on the line.
is_level() { [ "$(level "$1")" = "$2" ]; }

# is_within LEAST NUMBER MOST: each of them maybe with a fraction; nothing is no number.
is_within() {
    echo "$2 has to be from $1 to $3"
    awk -v least="$1" -v number="$2" -v most="$3" \
        'BEGIN { exit !(number ~ /^[0-9]/ && number + 0 >= least + 0 && number + 0 <= most + 0) }'
}
