/* Orders are answered as the protocol says, whoever sends whatever; a new table touches only what is new in it. */
#include "tests.h"

#include <errno.h>
#include <string.h>

static void two_outputs(void) {
    struct table_output outputs[] = {make_output("heater", 5, 0, 0), make_output("fan", 6, 1, 0)};
    world(outputs, 2);
}

static void tells_how_it_is(void) {
    two_outputs();
    struct keeper_report hello = order(0, KEEPER_HELLO, "");
    EXPECT(hello.version == 1 && hello.type == KEEPER_HELLO && hello.sequence == 7 && hello.status == 0);
    EXPECT(hello.count == 2 && hello.table == 1);
    struct keeper_order list = {.version = 1, .type = KEEPER_LIST, .index = 1};
    struct keeper_report report;
    keeper_order(&keeper, 0, &list, sizeof list, now, &report);
    EXPECT(strcmp(report.output, "fan") == 0 && report.value == 1 && report.safe == 1 && report.is_held == 1);
    EXPECT(report.cause == KEEPER_CAUSE_START && report.since_ns == now && report.deadline_ns == 0);
    EXPECT(strcmp(report.text, "GPIO6 (header offset 6)") == 0);
    list.index = 2;
    keeper_order(&keeper, 0, &list, sizeof list, now, &report);
    EXPECT(report.status == -ENOENT && strstr(report.text, "2 outputs") != NULL);
    EXPECT(order(0, KEEPER_READ, "cooler").status == -ENOENT);
    EXPECT(strstr(order(0, KEEPER_READ, "cooler").text, "'cooler'") != NULL);
}

static void only_who_adopted_may_set(void) {
    two_outputs();
    EXPECT(set(0, "heater", 1, 0).status == -EPERM);
    EXPECT(order(0, KEEPER_ADOPT, "heater").status == 0);
    EXPECT(set(0, "fan", 0, 0).status == -EPERM);
    EXPECT(order(1, KEEPER_ADOPT, "fan").status == -EBUSY);
    EXPECT(set(1, "heater", 1, 0).status == -EPERM);
    EXPECT(order(1, KEEPER_RELOAD, "").status == -EBUSY && order(0, KEEPER_RELOAD, "").status == 0);
    EXPECT(level(5) == 0 && level(6) == 1);
    EXPECT(order(0, KEEPER_ADOPT, "fan").status == 0);
    keeper_lost(&keeper, 0, now);
    EXPECT(set(0, "heater", 1, 0).status == -EPERM);
    EXPECT(order(1, KEEPER_ADOPT, "heater").status == 0 && set(1, "heater", 1, 0).status == 0);
    EXPECT(set(1, "fan", 0, 0).status == -EPERM); /* adopted by the one before only */
}

static void sets_once(void) {
    two_outputs();
    order(0, KEEPER_ADOPT, "heater");
    struct keeper_report report = set(0, "heater", 1, 500);
    EXPECT(report.value == 1 && report.cause == KEEPER_CAUSE_ORDER && report.deadline_ns == now + 500 * KEEPER_MS);
    int64_t since = report.since_ns;
    pass(100);
    for (int i = 0; i < 5; i++)
        report = set(0, "heater", 1, 500 + i);
    EXPECT(fake_counts("header", 5).drives == 1 && report.since_ns == since);
    order(0, KEEPER_ADOPT, "heater");
    EXPECT(look("heater").deadline_ns == now + 504 * KEEPER_MS);
    EXPECT(set(0, "heater", 0, 500).deadline_ns == 0); /* what is safe needs no deadline */
    EXPECT(fake_counts("header", 5).drives == 2);
}

static void extends_what_is_on_and_no_more(void) {
    two_outputs();
    order(0, KEEPER_ADOPT, "heater");
    struct keeper_order extend = {.version = 1, .type = KEEPER_EXTEND, .output = "heater", .value = 1};
    struct keeper_report report;
    extend.deadline_ns = now + 900 * KEEPER_MS;
    keeper_order(&keeper, 0, &extend, sizeof extend, now, &report);
    EXPECT(report.status == -ETIME && level(5) == 0); /* it is off */
    set(0, "heater", 1, 500);
    keeper_order(&keeper, 0, &extend, sizeof extend, now, &report);
    EXPECT(report.status == 0 && report.deadline_ns == now + 900 * KEEPER_MS);
    pass(1000);
    keeper_order(&keeper, 0, &extend, sizeof extend, now, &report);
    EXPECT(report.status == -ETIME && level(5) == 0); /* it was made safe: nothing lights it again */
    EXPECT(fake_counts("header", 5).drives == 2);
    keeper_order(&keeper, 1, &extend, sizeof extend, now, &report);
    EXPECT(report.status == -EPERM);
}

static void refuses_what_is_late(void) {
    two_outputs();
    order(0, KEEPER_ADOPT, "heater");
    struct keeper_order set_on = {.version = 1, .type = KEEPER_SET, .output = "heater", .value = 1};
    struct keeper_report report;
    set_on.not_after_ns = now;
    keeper_order(&keeper, 0, &set_on, sizeof set_on, now, &report);
    EXPECT(report.status == -ETIME && fake_counts("header", 5).drives == 0);
    set_on.not_after_ns = now + 1;
    set_on.deadline_ns = now;
    keeper_order(&keeper, 0, &set_on, sizeof set_on, now, &report);
    EXPECT(report.status == -ETIME && fake_counts("header", 5).drives == 0);
    set_on.deadline_ns = -5;
    keeper_order(&keeper, 0, &set_on, sizeof set_on, now, &report);
    EXPECT(report.status == -ETIME && fake_counts("header", 5).drives == 0);
    set_on.deadline_ns = now + 1;
    keeper_order(&keeper, 0, &set_on, sizeof set_on, now, &report);
    EXPECT(report.status == 0 && level(5) == 1);
    pass(1);
    EXPECT(level(5) == 0);
    /* A deadline that is past, for an output that is on: it is over. */
    set(0, "heater", 1, 0);
    EXPECT(set(0, "heater", 1, -1).status == 0);
    pass(0);
    EXPECT(level(5) == 0 && look("heater").cause == KEEPER_CAUSE_DEADLINE);
    set_on.value = 2;
    set_on.deadline_ns = set_on.not_after_ns = 0;
    keeper_order(&keeper, 0, &set_on, sizeof set_on, now, &report);
    EXPECT(report.status == -EINVAL);
}

static void answers_noise(void) {
    two_outputs();
    unsigned char noise[2 * sizeof(struct keeper_order)];
    struct keeper_order hello = {.version = 1, .type = KEEPER_HELLO};
    struct keeper_report report;
    memset(noise, 0xa5, sizeof noise);
    for (size_t size = 0; size <= sizeof noise; size++) {
        if (size == sizeof hello) continue;
        keeper_order(&keeper, 0, noise, size, now, &report);
        EXPECT(report.status == -EBADMSG && report.text[0] != '\0');
    }
    hello.version = 2;
    keeper_order(&keeper, 0, &hello, sizeof hello, now, &report);
    EXPECT(report.status == -EPROTO && report.version == 1);
    hello.version = 1;
    hello.type = KEEPER_NEWS;
    keeper_order(&keeper, 0, &hello, sizeof hello, now, &report);
    EXPECT(report.status == -EOPNOTSUPP && report.type == KEEPER_NEWS);
    hello.type = KEEPER_ADOPT;
    memset(hello.output, 'x', sizeof hello.output);
    keeper_order(&keeper, 0, &hello, sizeof hello, now, &report);
    EXPECT(report.status == -EBADMSG);
}

static void survives_noise(void) {
    two_outputs();
    struct dice dice = {.state = 815};
    for (int round = 0; round < 100000; round++) {
        struct keeper_order one;
        unsigned char *bytes = (unsigned char *)&one;
        for (size_t i = 0; i < sizeof one; i++)
            bytes[i] = (unsigned char)roll(&dice, 256);
        if (roll(&dice, 4) != 0) one.version = KEEPER_PROTOCOL_VERSION;
        if (roll(&dice, 4) != 0) one.type = (uint16_t)roll(&dice, 8);
        if (roll(&dice, 4) != 0) strcpy(one.output, roll(&dice, 2) ? "heater" : "fan");
        if (roll(&dice, 4) != 0) one.value = (int32_t)roll(&dice, 2);
        if (roll(&dice, 2) != 0) one.not_after_ns = 0;
        struct keeper_report report;
        int who = (int)roll(&dice, 8);
        keeper_order(&keeper, who, &one, sizeof one, now, &report);
        remark("round %d of seed 815", round);
        EXPECT(report.version == 1 && report.status <= 0 && (report.status == 0 || report.text[0] != '\0'));
        if (roll(&dice, 50) == 0) keeper_lost(&keeper, who, now);
        pass(roll(&dice, 300));
    }
    keeper_lost(&keeper, keeper.adopter, now);
    EXPECT(level(5) == 0 && level(6) == 1);
}

/* MARK: another table */

static void an_unchanged_output_is_not_touched(void) {
    two_outputs();
    order(0, KEEPER_ADOPT, "heater");
    set(0, "heater", 1, 60000);
    struct keeper_report before = look("heater");
    struct fake_counts counts = fake_counts("header", 5);
    struct table_output outputs[] = {make_output("pump", 7, 1, 0), make_output("heater", 5, 0, 0)};
    struct table table = make_table(outputs, 2);
    reload(&table);
    struct fake_counts after = fake_counts("header", 5);
    EXPECT(memcmp(&counts, &after, sizeof counts) == 0);
    struct keeper_report now_it_is = look("heater");
    EXPECT(memcmp(&before, &now_it_is, sizeof before) == 0);
    EXPECT(set(0, "heater", 0, 0).status == 0); /* still adopted */
    EXPECT(look("pump").value == 1 && level(7) == 1);
    EXPECT(look("fan").status == -ENOENT && fake_counts("header", 6).releases == 1);
}

static void what_goes_is_made_safe(void) {
    two_outputs();
    order(0, KEEPER_ADOPT, "fan");
    set(0, "fan", 0, 0);
    struct table table = make_table(NULL, 0);
    EXPECT(reload(&table)[0] == '\0');
    EXPECT(fake_counts("header", 6).drives == 2 && fake_counts("header", 6).releases == 1);
    EXPECT(order(0, KEEPER_HELLO, "").count == 0 && keeper_next(&keeper) == KEEPER_NEVER);
}

static void what_goes_and_is_not_safe_is_named(void) {
    struct table_output outputs[] = {make_output("heater", 5, 0, 0), make_output("fan", 6, 1, 0),
                                     make_output("pump", 7, 0, 0)};
    world(outputs, 3);
    for (int i = 0; i < 3; i++) {
        order(0, KEEPER_ADOPT, outputs[i].name);
        set(0, outputs[i].name, i != 1, 0);
        if (i != 1) fake_fail("header", outputs[i].offset, EIO);
    }
    struct table table = make_table(NULL, 0);
    EXPECT(strcmp(reload(&table), "given back, and not known to be safe: heater, pump") == 0);
    for (uint32_t line = 5; line <= 7; line++)
        EXPECT(fake_counts("header", line).releases == 1);
    EXPECT(reload(&table)[0] == '\0' && keeper_next(&keeper) == KEEPER_NEVER);
}

static void a_line_passes_on(void) {
    two_outputs();
    struct table_output outputs[] = {make_output("oven", 5, 0, 0), make_output("fan", 5, 0, 0)};
    outputs[1].offset = 5 + 2;
    struct table table = make_table(outputs, 2);
    reload(&table);
    EXPECT(look("oven").is_held && strcmp(fake_consumer("header", 5), "m2m-keeper oven") == 0);
    EXPECT(look("fan").is_held && level(6) == 0 && fake_counts("header", 6).releases == 1);
}

static void every_field_matters(void) {
    for (int field = 0; field < 5; field++) {
        two_outputs();
        struct table_output outputs[] = {make_output("heater", 5, 0, 0), make_output("fan", 6, 1, 0)};
        struct table_output *fan = &outputs[1];
        if (field == 0) fan->safe = 0;
        if (field == 1) fan->is_active_low = true;
        if (field == 2) fan->bias = CGPIO_BIAS_PULL_UP;
        if (field == 3) strcpy(fan->line, "fan's");
        if (field == 4) fan->offset = 8;
        struct table table = make_table(outputs, 2);
        reload(&table);
        remark("field %d", field);
        EXPECT(fake_counts("header", 6).releases == 1 && fake_counts("header", 5).releases == 0);
        EXPECT(look("fan").is_held == 1);
    }
}

/* The table of two_outputs, but for the time without an agent: of both, to see that no time is another's. */
static void change_holds(uint32_t heater_ms, uint32_t fan_ms) {
    struct table_output outputs[] = {make_output("heater", 5, 0, heater_ms), make_output("fan", 6, 1, fan_ms)};
    struct table table = make_table(outputs, 2);
    EXPECT(reload(&table)[0] == '\0');
}

static void a_hold_alone_is_exchanged(void) {
    two_outputs();
    order(0, KEEPER_ADOPT, "heater");
    set(0, "heater", 1, 60000);
    struct keeper_report heater = look("heater"), fan = look("fan");
    struct fake_counts counts[] = {fake_counts("header", 5), fake_counts("header", 6)};
    change_holds(5000, 100);
    struct fake_counts after[] = {fake_counts("header", 5), fake_counts("header", 6)};
    EXPECT(memcmp(counts, after, sizeof counts) == 0 && news_for(0, NULL) == 0);
    struct keeper_report heater_now = look("heater"), fan_now = look("fan");
    EXPECT(memcmp(&heater, &heater_now, sizeof heater) == 0 && memcmp(&fan, &fan_now, sizeof fan) == 0);
    EXPECT(set(0, "heater", 1, 60000).status == 0); /* still adopted */

    /* It counts from the loss, also where that was before: longer, shorter, and over. */
    int64_t lost = now;
    keeper_lost(&keeper, 0, now);
    EXPECT(look("heater").deadline_ns == lost + 5000 * KEEPER_MS);
    pass(1000);
    change_holds(7000, 100);
    EXPECT(look("heater").deadline_ns == lost + 7000 * KEEPER_MS);
    change_holds(2000, 100);
    EXPECT(look("heater").deadline_ns == lost + 2000 * KEEPER_MS && level(5) == 1);
    change_holds(500, 100);
    pass(0);
    EXPECT(level(5) == 0 && look("heater").cause == KEEPER_CAUSE_AGENT_LOST && look("heater").since_ns == now);
    EXPECT(fake_counts("header", 5).releases == 0 && fake_counts("header", 6).releases == 0);
}

static void a_reload_tries_again(void) {
    two_outputs();
    fake_busy("header", 9, "gpioset", 23);
    struct table_output outputs[] = {make_output("heater", 5, 0, 0), make_output("pump", 9, 0, 0)};
    struct table table = make_table(outputs, 2);
    reload(&table);
    pass(400);
    EXPECT(look("pump").is_held == 0 && fake_counts("header", 9).refusals == 21);
    order(0, KEEPER_ADOPT, "pump");
    while (news_for(0, NULL) > 0)
        continue;
    reload(&table);
    EXPECT(look("pump").is_held == 0);
    pass(20);
    struct keeper_report news;
    EXPECT(look("pump").is_held == 1 && news_for(0, &news) == 1 && news.is_held == 1);
    EXPECT(set(0, "pump", 1, 0).status == 0);
}

void order_tests(void) {
    promise("The keeper tells how many outputs there are and how each is", tells_how_it_is);
    promise("Only the connection that has adopted an output sets it", only_who_adopted_may_set);
    promise("The same value again changes the deadline and never the line", sets_once);
    promise("An extension changes the end of what is on, and never lights it again", extends_what_is_on_and_no_more);
    promise("An order that comes too late, or would be over at once, drives nothing", refuses_what_is_late);
    promise("A message of a wrong size, version or type is answered with words", answers_noise);
    promise("Random orders never harm", survives_noise);
    promise("A new table does not touch an output that stands in it as before", an_unchanged_output_is_not_touched);
    promise("An output that goes is made safe first", what_goes_is_made_safe);
    promise("An output that goes and can't be made safe is named", what_goes_and_is_not_safe_is_named);
    promise("A line can pass from one output to another", a_line_passes_on);
    promise("An output that differs in any field of its line is taken anew", every_field_matters);
    promise("Another time without its agent is all that changes where nothing else does", a_hold_alone_is_exchanged);
    promise("A new table has lines tried again that were not to be had", a_reload_tries_again);
}
