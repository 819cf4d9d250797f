/* tests - runs all tests of m2m-keeper: keeper-tests PROGRAM, where PROGRAM is m2m-keeper over simulated lines. */
#include "tests.h"
#include "program.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int promises, broken_promises;
static bool is_kept;
static char remarks[256];

void promise(const char *words, void (*test)(void)) {
    is_kept = true;
    remarks[0] = '\0';
    test();
    promises++;
    if (!is_kept) broken_promises++;
    printf("%s %d - %s\n", is_kept ? "ok" : "not ok", promises, words);
    fflush(stdout);
}

void expect(bool condition, const char *words, const char *file, int line) {
    if (condition) return;
    if (is_kept) printf("# %s:%d: not so: %s%s%s\n", file, line, words, remarks[0] != '\0' ? "; " : "", remarks);
    is_kept = false;
}

void remark(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(remarks, sizeof remarks, format, arguments);
    va_end(arguments);
}

/* MARK: a keeper in a world of its own */

struct keeper keeper;
int64_t now;

struct table_output make_output(const char *name, uint32_t offset, int safe, uint32_t agent_lost_ms) {
    struct table_output output = {.chip = "header", .offset = offset, .safe = safe, .agent_lost_ms = agent_lost_ms};
    snprintf(output.name, sizeof output.name, "%s", name);
    snprintf(output.line, sizeof output.line, "GPIO%u", offset);
    return output;
}

struct table make_table(const struct table_output outputs[], uint32_t count) {
    struct table table = {.checksum = 1, .heartbeat_ms = 2000, .count = count};
    for (uint32_t i = 0; i < count; i++)
        table.outputs[i] = outputs[i];
    return table;
}

void world(const struct table_output outputs[], uint32_t count) {
    fake_reset();
    fake_chip("header", 28, "GPIO%");
    struct table table = make_table(outputs, count);
    now = 1000 * KEEPER_MS;
    keeper_start(&keeper, &table, now);
    while (news_for(0, NULL) > 0)
        continue;
}

void pass(int64_t milliseconds) {
    int64_t end = now + milliseconds * KEEPER_MS;
    int rounds = 0;
    for (int64_t next; (next = keeper_next(&keeper)) <= end && rounds < 100000; rounds++) {
        if (next > now) now = next;
        keeper_tick(&keeper, now);
        keeper_listen(&keeper, now);
    }
    EXPECT(rounds < 100000); /* else it wakes and wakes and gets nothing done */
    now = end;
}

static struct keeper_report give(int who, const struct keeper_order *order) {
    struct keeper_report report;
    keeper_order(&keeper, who, order, sizeof *order, now, &report);
    return report;
}

struct keeper_report order(int who, enum keeper_type type, const char *name) {
    struct keeper_order order = {.version = KEEPER_PROTOCOL_VERSION, .type = (uint16_t)type, .sequence = 7};
    snprintf(order.output, sizeof order.output, "%s", name);
    return give(who, &order);
}

struct keeper_report set(int who, const char *name, int value, int64_t deadline_ms) {
    struct keeper_order order = {.version = KEEPER_PROTOCOL_VERSION, .type = KEEPER_SET, .sequence = 8, .value = value};
    snprintf(order.output, sizeof order.output, "%s", name);
    if (deadline_ms != 0) order.deadline_ns = now + deadline_ms * KEEPER_MS;
    return give(who, &order);
}

const char *reload(const struct table *table) {
    static char problem[KEEPER_TEXT_SIZE];
    keeper_reload(&keeper, table, now, problem);
    return problem;
}

struct keeper_report look(const char *name) {
    return order(99, KEEPER_READ, name);
}

int level(uint32_t offset) { return fake_level("header", offset); }

int news_for(int who, struct keeper_report *news) {
    struct keeper_report one;
    int to, count = 0;
    while (keeper_take_news(&keeper, &one, &to)) {
        if (to != who) continue;
        count++;
        if (news != NULL) *news = one;
    }
    return count;
}

/* MARK: random numbers */

/* splitmix64 */
uint32_t roll(struct dice *dice, uint32_t sides) {
    uint64_t z = (dice->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ (z >> 31)) >> 32) % sides;
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: keeper-tests PROGRAM\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    table_tests();
    line_tests();
    policy_tests();
    order_tests();
    history_tests();
    memory_tests();
    program = arguments[1];
    program_tests();
    socket_tests();
    word_tests();
    printf("1..%d\n", promises);
    if (broken_promises != 0) {
        printf("%d of %d keeper promises broken\n", broken_promises, promises);
        return 1;
    }
    printf("%d keeper promises kept\n", promises);
    return 0;
}
