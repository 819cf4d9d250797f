/*
 * Whatever happens in whatever order, outputs are as a much simpler keeper would have them: one that looks at
 * everything again in every millisecond, and remembers only what has happened.
 */
#include "tests.h"

#include <stdio.h>
#include <string.h>

enum { OUTPUTS = 4, CONNECTIONS = 3, EVENTS = 40, HISTORIES = 10000, HEARTBEAT_MS = 100, NOT_YET = -1 };

struct simple_output {
    int value, safe;
    int64_t deadline;  /* ms; NOT_YET: none */
    int64_t agentless; /* ms: since when nobody answers for it although it is away from safe; NOT_YET */
    enum keeper_cause agentless_cause, cause;
    int owner; /* NOT_YET: nobody */
    uint32_t interventions, changes;
    uint32_t keep_ms;
};

/* What a simple keeper is made to forget, to see that it is found out. */
static enum { NOTHING, HOLDS, DEADLINES, SILENCE, FORGETTABLE } forgotten;

struct simple {
    struct simple_output outputs[OUTPUTS];
    int owner;
    int64_t heard;
    bool is_given_up; /* its silence has been noticed */
    int64_t time;
};

static struct table_output outputs[OUTPUTS];
static const uint32_t keeps[] = {0, 30, 100, 250};
static char names[OUTPUTS][2] = {"a", "b", "c", "d"};

static void simple_drive(struct simple_output *output, int value, enum keeper_cause cause) {
    if (output->value != value) output->changes++;
    output->value = value;
    output->cause = cause;
    if (value == output->safe) output->deadline = output->agentless = NOT_YET;
}

/* How long an output is kept without its agent. */
static int64_t keep_of(const struct simple_output *output) { return forgotten == HOLDS ? 0 : output->keep_ms; }

/* Everything that a millisecond can bring. */
static void simple_look(struct simple *simple) {
    bool is_heartbeat_due = false;
    for (int i = 0; i < OUTPUTS; i++) {
        struct simple_output *output = &simple->outputs[i];
        if (output->value == output->safe) continue;
        bool is_over = output->deadline != NOT_YET && simple->time >= output->deadline;
        bool is_left = output->agentless != NOT_YET && simple->time >= output->agentless + keep_of(output);
        if (is_over) {
            simple_drive(output, output->safe, KEEPER_CAUSE_DEADLINE);
        } else if (is_left) {
            output->interventions++;
            simple_drive(output, output->safe, output->agentless_cause);
        } else if (output->owner != NOT_YET) {
            is_heartbeat_due = true;
        }
    }
    if (forgotten == SILENCE || !is_heartbeat_due || simple->is_given_up || simple->time < simple->heard + HEARTBEAT_MS)
        return;
    simple->is_given_up = true;
    for (int i = 0; i < OUTPUTS; i++) {
        struct simple_output *output = &simple->outputs[i];
        if (output->owner == NOT_YET || output->value == output->safe || output->agentless != NOT_YET) continue;
        output->agentless = simple->time;
        output->agentless_cause = KEEPER_CAUSE_AGENT_SILENT;
    }
    simple_look(simple);
}

static void simple_heard(struct simple *simple, int who) {
    if (who != simple->owner) return;
    simple->heard = simple->time;
    simple->is_given_up = false;
    for (int i = 0; i < OUTPUTS; i++) {
        if (simple->outputs[i].owner == who) simple->outputs[i].agentless = NOT_YET;
    }
}

static void simple_adopt(struct simple *simple, int who, int which) {
    simple_heard(simple, who);
    if (simple->owner != NOT_YET && simple->owner != who) return;
    simple->owner = who;
    simple->outputs[which].owner = who;
    simple_heard(simple, who);
}

static void simple_set(struct simple *simple, int who, int which, int value, int64_t deadline_ms) {
    struct simple_output *output = &simple->outputs[which];
    simple_heard(simple, who);
    if (output->owner != who) return;
    if (output->value != value) simple_drive(output, value, KEEPER_CAUSE_ORDER);
    bool has_deadline = value != output->safe && deadline_ms != 0 && forgotten != DEADLINES;
    output->deadline = has_deadline ? simple->time + deadline_ms : NOT_YET;
}

static void simple_lost(struct simple *simple, int who) {
    if (who != simple->owner) return;
    simple->owner = NOT_YET;
    simple->is_given_up = false;
    for (int i = 0; i < OUTPUTS; i++) {
        struct simple_output *output = &simple->outputs[i];
        if (output->owner == who && output->value != output->safe && output->agentless == NOT_YET) {
            output->agentless = simple->time;
            output->agentless_cause = KEEPER_CAUSE_AGENT_LOST;
        }
        output->owner = NOT_YET;
    }
    simple_look(simple);
}

/* A table in which one output may go without its agent for another time. */
static void simple_keep(struct simple *simple, int which) {
    simple->outputs[which].keep_ms = outputs[which].agent_lost_ms;
    simple_look(simple);
}

/* A table in which the line of one output is another than before: given back at its safe value, and taken anew. */
static void simple_reload(struct simple *simple, int which) {
    struct simple_output *output = &simple->outputs[which];
    if (output->value != output->safe) output->changes++;
    if (output->safe == 1) output->changes += 2; /* it falls when it is given back */
    *output = (struct simple_output){.value = output->safe,
                                     .safe = output->safe,
                                     .deadline = NOT_YET,
                                     .agentless = NOT_YET,
                                     .owner = NOT_YET,
                                     .changes = output->changes,
                                     .keep_ms = outputs[which].agent_lost_ms};
}

/* MARK: both side by side */

static void begin(struct simple *simple, struct dice *dice) {
    *simple = (struct simple){.owner = NOT_YET, .time = 1000};
    for (int i = 0; i < OUTPUTS; i++) {
        uint32_t keep_ms = keeps[roll(dice, 4)];
        outputs[i] = make_output(names[i], (uint32_t)i, (int)roll(dice, 2), keep_ms);
        simple->outputs[i] = (struct simple_output){.value = outputs[i].safe,
                                                    .safe = outputs[i].safe,
                                                    .changes = (uint32_t)outputs[i].safe,
                                                    .deadline = NOT_YET,
                                                    .agentless = NOT_YET,
                                                    .owner = NOT_YET,
                                                    .keep_ms = outputs[i].agent_lost_ms};
    }
    world(outputs, OUTPUTS);
    keeper.heartbeat = HEARTBEAT_MS * KEEPER_MS;
}

static void happen(struct simple *simple, struct dice *dice) {
    int who = (int)roll(dice, CONNECTIONS), which = (int)roll(dice, OUTPUTS);
    if (simple->owner != NOT_YET && roll(dice, 3) != 0) who = simple->owner;
    switch (roll(dice, 20)) {
    case 0:
    case 1:
        keeper_lost(&keeper, who, now);
        simple_lost(simple, who);
        break;
    case 2: {
        bool is_other_line = roll(dice, 2);
        if (is_other_line) outputs[which].bias ^= 1;
        if (!is_other_line) outputs[which].agent_lost_ms = keeps[roll(dice, 4)];
        struct table table = make_table(outputs, OUTPUTS);
        table.heartbeat_ms = HEARTBEAT_MS;
        reload(&table);
        if (is_other_line) simple_reload(simple, which);
        if (!is_other_line) simple_keep(simple, which);
        break;
    }
    case 3:
    case 4:
    case 5:
    case 6:
        order(who, KEEPER_ADOPT, names[which]);
        simple_adopt(simple, who, which);
        break;
    case 7:
    case 8:
        order(who, KEEPER_HEARTBEAT, "");
        simple_heard(simple, who);
        break;
    default: {
        int value = (int)roll(dice, 2);
        int64_t deadline_ms = roll(dice, 2) ? roll(dice, 200) + 1 : 0;
        set(who, names[which], value, deadline_ms);
        simple_set(simple, who, which, value, deadline_ms);
    }
    }
}

static int64_t simple_until(const struct simple_output *output) {
    int64_t until = output->deadline;
    if (output->agentless != NOT_YET && (until == NOT_YET || output->agentless + keep_of(output) < until)) {
        until = output->agentless + keep_of(output);
    }
    return until == NOT_YET ? 0 : until * KEEPER_MS;
}

static bool are_alike(const struct simple *simple) {
    for (int i = 0; i < OUTPUTS; i++) {
        const struct simple_output *output = &simple->outputs[i];
        struct keeper_report report = look(names[i]);
        if (level((uint32_t)i) != output->value || report.value != output->value) return false;
        if (report.cause != output->cause || report.interventions != output->interventions) return false;
        if (report.deadline_ns != simple_until(output)) return false;
        if (fake_counts("header", (uint32_t)i).changes != output->changes) return false;
    }
    return true;
}

static uint64_t made_safe; /* how often something happened that is worth a test */

static bool one_history(uint64_t seed) {
    struct dice dice = {.state = seed};
    struct simple simple;
    begin(&simple, &dice);
    for (int event = 0; event < EVENTS; event++) {
        int64_t wait = roll(&dice, 4) == 0 ? roll(&dice, 150) : roll(&dice, 20);
        pass(wait);
        for (int64_t i = 0; i < wait; i++) {
            simple.time++;
            simple_look(&simple);
        }
        happen(&simple, &dice);
        if (!are_alike(&simple)) return false;
    }
    for (int i = 0; i < OUTPUTS; i++)
        made_safe += simple.outputs[i].interventions;
    return true;
}

static const uint64_t first_seed = 20260101;

static void histories(void) {
    made_safe = 0;
    for (uint64_t seed = first_seed; seed < first_seed + HISTORIES; seed++) {
        bool is_alike = one_history(seed);
        remark("seed %llu", (unsigned long long)seed);
        EXPECT(is_alike);
        if (!is_alike) return;
    }
    EXPECT(made_safe > HISTORIES / 4); /* else they were too tame */
    printf("# %d histories from seed %llu: %llu interventions, no difference\n", HISTORIES,
           (unsigned long long)first_seed, (unsigned long long)made_safe);
}

static void finds_out(void) {
    for (forgotten = HOLDS; forgotten < FORGETTABLE; forgotten++) {
        bool is_found_out = false;
        for (uint64_t seed = first_seed; seed < first_seed + 1000 && !is_found_out; seed++)
            is_found_out = !one_history(seed);
        remark("forgotten: %d", (int)forgotten);
        EXPECT(is_found_out);
    }
    forgotten = NOTHING;
}

void history_tests(void) {
    promise("10000 random histories end as they would with a much simpler keeper", histories);
    promise("A simple keeper that forgets holds, deadlines or silence is found out by them", finds_out);
}
