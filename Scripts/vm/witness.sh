# witness.sh - somebody else's word on what happened to a line: the kernel's own trace events, with their time stamps
# (CLOCK_MONOTONIC). `. ./witness.sh` beside /lib.sh.
#
# The kernel traces whoever drives a line or sets its direction, and every signal; not the release of a line. So a line
# of which nothing was traced, and which is at the end what it was before, had no edge: whoever had released it would
# have had to take it again.
#
# A LINE is LABEL/OFFSET of its chip.
# shellcheck shell=dash

traces=/sys/kernel/tracing

# witness: begins to look.
witness() {
    { [ -e $traces/trace_clock ] || mount -t tracefs tracefs $traces; } &&
        echo mono >$traces/trace_clock &&
        echo 'sig==2 || sig==9 || sig==15 || sig==19' >$traces/events/signal/signal_generate/filter &&
        echo 1 >$traces/events/signal/signal_generate/enable &&
        echo 1 >$traces/events/gpio/enable &&
        echo 8192 >$traces/buffer_size_kb &&
        forget
}

# traces_calls: whether this kernel traces system calls at all.
traces_calls() { [ -e $traces/events/syscalls/sys_enter_brk ]; }

# witness_growth FILTER: where it does, begins to look at those that get memory, of the processes that the filter says.
witness_growth() {
    local call
    traces_calls || return 0
    for call in brk mmap mremap; do
        echo "$1" >$traces/events/syscalls/sys_enter_$call/filter
        echo 1 >$traces/events/syscalls/sys_enter_$call/enable
    done
}

# growth PROCESS: prints how often the trace shows that it asked for memory.
growth() { traced "-$1 .* sys_\(brk\|mmap\|mremap\)("; }

# is_complete: whether the trace still has all since it was told to forget.
is_complete() {
    awk '/^# entries-in-buffer/ { split($3, counts, "/"); found = counts[1] == counts[2] } END { exit !found }' \
        $traces/trace
}

# forget: from now on, only what is new counts.
forget() { echo >$traces/trace; }

# traced WHAT: prints how often the trace shows that.
traced() { grep -c -- "$1" $traces/trace; }

# drives LINE: prints how often it was driven, or its direction was set.
drives() { traced "$(drive_of "$1")\|gpio_direction: $(kernel_number "$1") "; }

# drive_of LINE [0|1]: how the trace shows that the line is driven to this voltage, or to any.
drive_of() { echo "gpio_value: $(kernel_number "$1") set ${2-}"; }

# signal_of NUMBER PROCESS: how the trace shows a signal.
signal_of() { echo "signal_generate: sig=$1 .* pid=$2 "; }

# milliseconds_from ONE OTHER: prints the time between two things that the trace shows, the last time that it does;
# nothing, if they are not there.
milliseconds_from() {
    awk -v one="$1" -v other="$2" '
        { for (i = 1; i <= NF; i++) if ($i ~ /^[0-9]+\.[0-9]+:$/) { time = $i + 0; break } }
        $0 ~ one { begin = time; has_begun = 1; next }
        has_begun && $0 ~ other { span = sprintf("%.1f", (time - begin) * 1000); has_begun = 0 }
        END { if (span != "") print span }' $traces/trace
}

# ever_both LINE ONE OTHER-LINE OTHER: whether the lines were ever driven to these voltages at the same time.
ever_both() {
    awk -v one="$(drive_of "$1")" -v is_one="$2" -v other="$(drive_of "$3")" -v is_other="$4" '
        $0 ~ one { one_is = $NF }
        $0 ~ other { other_is = $NF }
        one_is == is_one && other_is == is_other { found = 1 }
        END { exit !found }' $traces/trace
}

# kernel_number LINE: prints the number that the trace knows it by.
kernel_number() {
    local chip
    for chip in /sys/class/gpio/gpiochip*; do
        [ "$(cat "$chip/label")" = "${1%/*}" ] || continue
        echo $(($(cat "$chip/base") + ${1##*/}))
        return
    done
    echo "no chip is called ${1%/*}" >&2
    return 1
}

# spread FILE: prints the middle and the highest of the numbers in it, as milliseconds.
spread() {
    sort -n "$1" | awk '{ all[NR] = $1 } END { print "p50 " all[int((NR + 1) / 2)] " ms, max " all[NR] " ms, of " NR }'
}
