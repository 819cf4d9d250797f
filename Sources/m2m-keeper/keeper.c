/* keeper - the core: outputs, deadlines, heartbeats, and what becomes of an output when its agent does not live. */
#include "keeper.h"
#include "line.h"
#include "text.h"

#include <errno.h>
#include <string.h>

static int64_t earlier(int64_t one, int64_t other) { return one < other ? one : other; }

/* MARK: one output */

bool keeper_is_away(const struct keeper_output *output) {
    return output->line != NULL && (output->value != output->is.safe || output->retry != 0);
}

/* Takes the line at its safe value: 0, or -errno. */
int keeper_take_line(struct keeper_output *output, int64_t now) {
    output->error = line_take(&output->is, &output->line, output->problem);
    if (output->error != 0) return output->error;
    output->value = output->is.safe;
    output->cause = KEEPER_CAUSE_START;
    output->since = now;
    return 0;
}

/*
 * Drives a line: 0, or -errno. Where that fails nobody knows how the line is, so that from then on it is tried to make
 * it safe, until that is done.
 */
int keeper_drive(struct keeper_output *output, int value, enum keeper_cause cause, int64_t now) {
    bool is_to_safe = value == output->is.safe;
    output->error = cgpio_line_set(output->line, value);
    if (output->error == 0) {
        if (is_to_safe) output->deadline = output->hold = 0;
        output->value = value;
        output->cause = cause;
        output->since = now;
        output->retry = 0;
        return 0;
    }
    /* Who would leave safe has no say in when or why it is made so. */
    if (is_to_safe || output->retry == 0) {
        output->retry_cause = cause;
        output->retry = now + KEEPER_SAFE_RETRY;
    }
    if (output->cause != KEEPER_CAUSE_LINE_FAILED) output->since = now;
    output->cause = KEEPER_CAUSE_LINE_FAILED;
    output->deadline = output->hold = 0;
    text_put(output->problem, KEEPER_TEXT_SIZE, "the line can't be driven: %s", strerror(-output->error));
    return output->error;
}

/* When the output is to be made safe, and why; KEEPER_NEVER if it is not. */
static int64_t due(const struct keeper_output *output, enum keeper_cause *cause) {
    if (output->retry != 0) {
        *cause = output->retry_cause;
        return output->retry;
    }
    int64_t deadline = output->deadline != 0 ? output->deadline : KEEPER_NEVER;
    int64_t hold = output->hold != 0 ? output->hold : KEEPER_NEVER;
    *cause = deadline <= hold ? KEEPER_CAUSE_DEADLINE : output->hold_cause;
    return earlier(deadline, hold);
}

/* Makes safe what is due; what fails again and again is news only once. */
static void tick_output(struct keeper_output *output, int64_t now) {
    enum keeper_cause cause;
    if (output->line == NULL || due(output, &cause) > now) return;
    bool had_failed = output->retry != 0;
    bool is_intervention = cause == KEEPER_CAUSE_AGENT_LOST || cause == KEEPER_CAUSE_AGENT_SILENT;
    if (is_intervention && !had_failed) output->interventions++;
    int result = keeper_drive(output, output->is.safe, cause, now);
    output->has_news |= result == 0 || !had_failed;
}

/* Its agent does not live (since `from`): begins the hold, if there is none yet, and ends it where it is over. */
static void begin_hold(struct keeper_output *output, enum keeper_cause cause, int64_t from, int64_t now) {
    if (!output->is_adopted || !keeper_is_away(output) || output->retry != 0 || output->hold != 0) return;
    output->hold = from + output->is.agent_lost_ms * KEEPER_MS;
    output->hold_cause = cause;
    tick_output(output, now);
}

void keeper_describe(const struct keeper_output *output, struct keeper_report *report) {
    text_put(report->output, sizeof report->output, "%s", output->is.name);
    report->is_held = output->line != NULL;
    report->value = output->value;
    report->safe = output->is.safe;
    report->cause = output->cause;
    report->since_ns = output->since;
    report->deadline_ns = output->deadline;
    if (output->hold != 0 && (output->deadline == 0 || output->hold < output->deadline)) {
        report->deadline_ns = output->hold;
    }
    report->interventions = output->interventions;
    table_output_line(&output->is, report->text);
    if (output->error != 0) text_add(report->text, sizeof report->text, ": %s", output->problem);
}

/* MARK: taking the lines */

/* Takes the lines that are missing. They share one wait, at whose end those that still can't be had have news. */
static void take_lines(struct keeper *keeper, int64_t now) {
    bool is_over = now >= keeper->take_until, is_any_missing = false;
    for (uint32_t i = 0; i < keeper->count; i++) {
        struct keeper_output *output = &keeper->outputs[i];
        if (output->line != NULL) continue;
        bool is_taken = keeper_take_line(output, now) == 0;
        is_any_missing |= !is_taken;
        output->has_news |= is_taken || is_over;
    }
    keeper->take_next = is_any_missing && !is_over ? now + KEEPER_TAKE_RETRY : 0;
}

static void begin_taking(struct keeper *keeper, int64_t now) {
    keeper->take_until = now + KEEPER_TAKE_LIMIT;
    take_lines(keeper, now);
}

static void begin_output(struct keeper_output *output, const struct table_output *is, int64_t now) {
    memset(output, 0, sizeof *output);
    output->is = *is;
    output->value = is->safe;
    output->since = now;
    output->has_news = true;
}

static void use_table(struct keeper *keeper, const struct table *table) {
    keeper->checksum = table->checksum;
    keeper->heartbeat = table->heartbeat_ms * KEEPER_MS;
    keeper->count = table->count;
}

void keeper_start(struct keeper *keeper, const struct table *table, int64_t now) {
    memset(keeper, 0, sizeof *keeper);
    keeper->adopter = KEEPER_NOBODY;
    use_table(keeper, table);
    for (uint32_t i = 0; i < table->count; i++)
        begin_output(&keeper->outputs[i], &table->outputs[i], now);
    begin_taking(keeper, now);
}

bool keeper_is_settled(const struct keeper *keeper) { return keeper->take_next == 0; }

/* Makes safe and gives back: false when it is not known to be safe. */
static bool give_back(struct keeper_output *output, int64_t now) {
    if (output->line == NULL) return true;
    bool is_safe = !keeper_is_away(output) || keeper_drive(output, output->is.safe, KEEPER_CAUSE_ORDER, now) == 0;
    cgpio_line_release(output->line);
    output->line = NULL;
    return is_safe;
}

/* Another time without its agent, which counts for a hold that has begun, too. */
static void change_hold(struct keeper_output *output, uint32_t agent_lost_ms) {
    if (output->hold != 0) output->hold += ((int64_t)agent_lost_ms - output->is.agent_lost_ms) * KEEPER_MS;
    output->is.agent_lost_ms = agent_lost_ms;
}

void keeper_reload(struct keeper *keeper, const struct table *table, int64_t now, char problem[KEEPER_TEXT_SIZE]) {
    struct keeper_output before[KEEPER_OUTPUT_LIMIT];
    uint32_t count = keeper->count;
    problem[0] = '\0';
    memcpy(before, keeper->outputs, count * sizeof before[0]);
    use_table(keeper, table);
    for (uint32_t i = 0; i < table->count; i++) {
        begin_output(&keeper->outputs[i], &table->outputs[i], now);
        for (uint32_t j = 0; j < count; j++) {
            if (!table_output_is_same_line(&before[j].is, &table->outputs[i])) continue;
            keeper->outputs[i] = before[j];
            change_hold(&keeper->outputs[i], table->outputs[i].agent_lost_ms);
            before[j].line = NULL; /* it has moved */
        }
    }
    /* First all that go are given back, so that a line may pass from one output to another. */
    for (uint32_t j = 0; j < count; j++) {
        if (give_back(&before[j], now)) continue;
        const char *between = problem[0] == '\0' ? "given back, and not known to be safe: " : ", ";
        text_add(problem, KEEPER_TEXT_SIZE, "%s%s", between, before[j].is.name);
    }
    begin_taking(keeper, now);
}

uint32_t keeper_stop(struct keeper *keeper, int64_t now) {
    uint32_t away = 0;
    keeper->take_next = 0;
    for (uint32_t i = 0; i < keeper->count; i++) {
        struct keeper_output *output = &keeper->outputs[i];
        if (keeper_is_away(output)) away++;
        output->has_news |= !give_back(output, now);
    }
    return away;
}

/* MARK: time */

void keeper_tick(struct keeper *keeper, int64_t now) {
    for (uint32_t i = 0; i < keeper->count; i++)
        tick_output(&keeper->outputs[i], now);
    if (keeper->take_next != 0 && keeper->take_next <= now) take_lines(keeper, now);
}

/* When the adopter counts as silent: KEEPER_NEVER while none of its outputs is away from safe. */
static int64_t silence(const struct keeper *keeper) {
    if (keeper->adopter == KEEPER_NOBODY || keeper->is_silent) return KEEPER_NEVER;
    for (uint32_t i = 0; i < keeper->count; i++) {
        const struct keeper_output *output = &keeper->outputs[i];
        if (output->is_adopted && keeper_is_away(output)) return keeper->life + keeper->heartbeat;
    }
    return KEEPER_NEVER;
}

void keeper_listen(struct keeper *keeper, int64_t now) {
    int64_t from = silence(keeper);
    if (from > now) return;
    keeper->is_silent = true;
    for (uint32_t i = 0; i < keeper->count; i++)
        begin_hold(&keeper->outputs[i], KEEPER_CAUSE_AGENT_SILENT, from, now);
}

void keeper_lost(struct keeper *keeper, int who, int64_t now) {
    keeper_tick(keeper, now);
    if (who != keeper->adopter) return;
    keeper->adopter = KEEPER_NOBODY;
    keeper->is_silent = false;
    for (uint32_t i = 0; i < keeper->count; i++) {
        struct keeper_output *output = &keeper->outputs[i];
        begin_hold(output, KEEPER_CAUSE_AGENT_LOST, now, now);
        output->is_adopted = false;
    }
}

int64_t keeper_next(const struct keeper *keeper) {
    int64_t next = earlier(silence(keeper), keeper->take_next != 0 ? keeper->take_next : KEEPER_NEVER);
    for (uint32_t i = 0; i < keeper->count; i++) {
        const struct keeper_output *output = &keeper->outputs[i];
        enum keeper_cause cause;
        if (output->line != NULL) next = earlier(next, due(output, &cause));
    }
    return next;
}

/* MARK: news */

bool keeper_take_news(struct keeper *keeper, struct keeper_report *report, int *to) {
    for (uint32_t i = 0; i < keeper->count; i++) {
        struct keeper_output *output = &keeper->outputs[i];
        /* While lines are being taken, an output without its line has no news yet. */
        if (!output->has_news || (output->line == NULL && keeper->take_next != 0)) continue;
        output->has_news = false;
        memset(report, 0, sizeof *report);
        report->version = KEEPER_PROTOCOL_VERSION;
        report->type = KEEPER_NEWS;
        report->count = keeper->count;
        report->table = keeper->checksum;
        report->status = output->error;
        keeper_describe(output, report);
        *to = output->is_adopted ? keeper->adopter : KEEPER_NOBODY;
        return true;
    }
    return false;
}
