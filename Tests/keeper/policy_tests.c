/* What becomes of an output without its agent, and at its deadline: safe at the very millisecond, and no edge before.
 */
#include "tests.h"

#include <errno.h>
#include <string.h>

enum { HEATER = 5, FAN = 6, VALVE = 7 };

/* A heater that is safe at once, a fan that is held for 5 s, a valve that is safe when on and held for 1 s. */
static void greenhouse(void) {
    struct table_output outputs[] = {make_output("heater", HEATER, 0, 0), make_output("fan", FAN, 0, 5000),
                                     make_output("valve", VALVE, 1, 1000)};
    world(outputs, 3);
}

/* The same, all adopted by connection 0 and away from safe. */
static void greenhouse_at_work(void) {
    greenhouse();
    const char *names[] = {"heater", "fan", "valve"};
    for (int i = 0; i < 3; i++) {
        EXPECT(order(0, KEEPER_ADOPT, names[i]).status == 0);
        EXPECT(set(0, names[i], i < 2, 0).status == 0);
    }
    EXPECT(level(HEATER) == 1 && level(FAN) == 1 && level(VALVE) == 0);
}

static bool is_made_safe(const char *name, enum keeper_cause cause) {
    struct keeper_report report = look(name);
    return report.value == report.safe && report.cause == cause && report.deadline_ns == 0;
}

static void safe_at_once(void) {
    greenhouse_at_work();
    keeper_lost(&keeper, 0, now);
    EXPECT(level(HEATER) == 0 && is_made_safe("heater", KEEPER_CAUSE_AGENT_LOST));
    EXPECT(look("heater").interventions == 1 && look("heater").since_ns == now);
}

static void held_for_a_while(void) {
    greenhouse_at_work();
    keeper_lost(&keeper, 0, now);
    int64_t lost = now;
    EXPECT(look("fan").deadline_ns == lost + 5000 * KEEPER_MS && look("fan").cause == KEEPER_CAUSE_ORDER);
    pass(999);
    EXPECT(level(VALVE) == 0);
    pass(1);
    EXPECT(level(VALVE) == 1 && is_made_safe("valve", KEEPER_CAUSE_AGENT_LOST));
    pass(3999);
    EXPECT(level(FAN) == 1);
    pass(1);
    EXPECT(level(FAN) == 0 && is_made_safe("fan", KEEPER_CAUSE_AGENT_LOST));
    EXPECT(keeper_next(&keeper) == KEEPER_NEVER);
    EXPECT(fake_counts("header", FAN).changes == 2 && fake_counts("header", FAN).drives == 2);
}

static void a_stranger_is_no_loss(void) {
    greenhouse_at_work();
    keeper_lost(&keeper, 1, now);
    pass(1999);
    EXPECT(level(HEATER) == 1 && level(FAN) == 1 && look("fan").deadline_ns == 0);
}

static void adopted_again_without_an_edge(void) {
    greenhouse_at_work();
    EXPECT(set(0, "fan", 1, 60000).status == 0);
    int64_t deadline = look("fan").deadline_ns;
    for (int who = 1; who < 4; who++) {
        keeper_lost(&keeper, who - 1, now);
        pass(900);
        EXPECT(order(who, KEEPER_ADOPT, "fan").value == 1);
        EXPECT(order(who, KEEPER_ADOPT, "valve").value == 0);
        EXPECT(look("fan").deadline_ns == deadline && look("valve").deadline_ns == 0);
        pass(1500);
        EXPECT(order(who, KEEPER_HEARTBEAT, "").status == 0);
    }
    struct fake_counts fan = fake_counts("header", FAN), valve = fake_counts("header", VALVE);
    EXPECT(fan.changes == 1 && fan.drives == 1 && valve.changes == 2 && valve.drives == 1);
    EXPECT(look("fan").interventions == 0);
}

static void only_what_is_adopted_is_kept(void) {
    greenhouse_at_work();
    keeper_lost(&keeper, 0, now);
    order(1, KEEPER_ADOPT, "valve");
    pass(1500);
    order(1, KEEPER_HEARTBEAT, "");
    pass(1500);
    order(1, KEEPER_HEARTBEAT, "");
    pass(2000 - 1);
    EXPECT(level(VALVE) == 0 && level(FAN) == 1);
    pass(1);
    EXPECT(level(FAN) == 0 && look("fan").cause == KEEPER_CAUSE_AGENT_LOST);
}

static void ends_at_its_deadline(void) {
    greenhouse_at_work();
    EXPECT(set(0, "heater", 1, 200).status == 0);
    EXPECT(fake_counts("header", HEATER).drives == 1);
    while (news_for(0, NULL) > 0)
        continue;
    pass(199);
    EXPECT(level(HEATER) == 1);
    pass(1);
    struct keeper_report news;
    EXPECT(level(HEATER) == 0 && news_for(0, &news) == 1);
    EXPECT(strcmp(news.output, "heater") == 0 && news.type == KEEPER_NEWS && news.sequence == 0);
    EXPECT(news.cause == KEEPER_CAUSE_DEADLINE && news.value == 0 && news.since_ns == now);
    EXPECT(look("heater").interventions == 0);
}

static void a_deadline_can_be_moved(void) {
    greenhouse_at_work();
    set(0, "heater", 1, 200);
    pass(150);
    set(0, "heater", 1, 500);
    pass(499);
    EXPECT(level(HEATER) == 1);
    set(0, "heater", 1, 0); /* none any more */
    pass(1900);
    EXPECT(level(HEATER) == 1);
    set(0, "heater", 1, 50);
    set(0, "heater", 0, 0);
    set(0, "heater", 1, 0);
    pass(100);
    EXPECT(level(HEATER) == 1 && fake_counts("header", HEATER).drives == 3);
}

/* The fan with a deadline, its agent lost after a second, and perhaps adopted again: when, and why, it is made safe. */
static void deadline_and_hold(int64_t deadline_ms, bool is_adopted_again, int64_t expected_ms,
                              enum keeper_cause cause) {
    greenhouse_at_work();
    int64_t start = now;
    set(0, "fan", 1, deadline_ms);
    pass(1000);
    keeper_lost(&keeper, 0, now);
    int64_t expected = start + expected_ms * KEEPER_MS;
    if (is_adopted_again) {
        order(1, KEEPER_ADOPT, "fan");
    } else {
        EXPECT(look("fan").deadline_ns == expected);
    }
    while (now + KEEPER_MS < expected) {
        pass(1);
        if (is_adopted_again) order(1, KEEPER_HEARTBEAT, "");
    }
    EXPECT(level(FAN) == 1);
    pass(1);
    EXPECT(level(FAN) == 0 && is_made_safe("fan", cause));
}

static void the_earlier_counts(void) {
    deadline_and_hold(0, false, 6000, KEEPER_CAUSE_AGENT_LOST);
    deadline_and_hold(3000, false, 3000, KEEPER_CAUSE_DEADLINE);
    deadline_and_hold(6000, false, 6000, KEEPER_CAUSE_DEADLINE);
    deadline_and_hold(9000, false, 6000, KEEPER_CAUSE_AGENT_LOST);
    deadline_and_hold(3000, true, 3000, KEEPER_CAUSE_DEADLINE);
    deadline_and_hold(9000, true, 9000, KEEPER_CAUSE_DEADLINE);
}

static void silence_is_a_loss(void) {
    greenhouse_at_work();
    while (news_for(0, NULL) > 0)
        continue;
    pass(1999);
    EXPECT(level(HEATER) == 1 && look("fan").deadline_ns == 0);
    pass(1);
    EXPECT(level(HEATER) == 0 && is_made_safe("heater", KEEPER_CAUSE_AGENT_SILENT));
    EXPECT(news_for(0, NULL) == 1);
    EXPECT(look("fan").deadline_ns == now + 5000 * KEEPER_MS);
    pass(1000);
    EXPECT(level(VALVE) == 1 && is_made_safe("valve", KEEPER_CAUSE_AGENT_SILENT));
    pass(3999);
    EXPECT(level(FAN) == 1);
    pass(1);
    EXPECT(level(FAN) == 0 && is_made_safe("fan", KEEPER_CAUSE_AGENT_SILENT));
    EXPECT(look("fan").interventions == 1 && news_for(0, NULL) == 2);
}

static void a_heartbeat_ends_silence(void) {
    greenhouse_at_work();
    pass(2500);
    EXPECT(order(1, KEEPER_HEARTBEAT, "").status == 0); /* of somebody else */
    EXPECT(look("fan").deadline_ns != 0);
    EXPECT(order(0, KEEPER_HEARTBEAT, "").status == 0);
    EXPECT(look("fan").deadline_ns == 0 && look("valve").deadline_ns == 0);
    pass(1999);
    EXPECT(level(FAN) == 1 && level(VALVE) == 0);
    pass(1001);
    EXPECT(level(VALVE) == 1 && level(FAN) == 1);
    pass(4000);
    EXPECT(level(FAN) == 0);
}

static void every_order_is_a_sign_of_life(void) {
    greenhouse_at_work();
    enum keeper_type types[] = {KEEPER_HELLO, KEEPER_LIST, KEEPER_READ, KEEPER_ADOPT, KEEPER_SET, KEEPER_HEARTBEAT};
    for (int i = 0; i < 6; i++) {
        pass(1999);
        order(0, types[i], types[i] == KEEPER_SET ? "nothing" : "fan");
    }
    EXPECT(level(HEATER) == 1);
    keeper_order(&keeper, 0, "noise", 5, now + 1000 * KEEPER_MS, &(struct keeper_report){0});
    pass(2000);
    EXPECT(level(HEATER) == 0);
}

static void a_loss_does_not_lengthen_silence(void) {
    greenhouse_at_work();
    pass(2500);
    keeper_lost(&keeper, 0, now);
    pass(499);
    EXPECT(level(VALVE) == 0);
    pass(1);
    EXPECT(level(VALVE) == 1 && look("valve").cause == KEEPER_CAUSE_AGENT_SILENT);
}

static void nothing_to_do_while_safe(void) {
    greenhouse();
    EXPECT(keeper_next(&keeper) == KEEPER_NEVER);
    order(0, KEEPER_ADOPT, "heater");
    EXPECT(keeper_next(&keeper) == KEEPER_NEVER);
    pass(100000);
    set(0, "heater", 1, 0);
    EXPECT(keeper_next(&keeper) == now + 2000 * KEEPER_MS); /* counted from now, not from the last order */
    set(0, "heater", 0, 5000);
    EXPECT(keeper_next(&keeper) == KEEPER_NEVER);
    set(0, "heater", 1, 0);
    keeper_lost(&keeper, 0, now);
    EXPECT(keeper_next(&keeper) == KEEPER_NEVER);
}

static void the_keeper_itself_was_stopped(void) {
    greenhouse_at_work();
    set(0, "heater", 1, 1000);
    struct keeper_order late = {.version = 1, .type = KEEPER_SET, .output = "heater", .value = 1};
    late.not_after_ns = now + 500 * KEEPER_MS;
    /* Nine seconds later: a heartbeat and an order have waited. */
    now += 9000 * KEEPER_MS;
    struct keeper_report report;
    keeper_tick(&keeper, now);
    EXPECT(level(HEATER) == 0 && look("heater").cause == KEEPER_CAUSE_DEADLINE);
    order(0, KEEPER_HEARTBEAT, "");
    keeper_order(&keeper, 0, &late, sizeof late, now, &report);
    EXPECT(report.status == -ETIME && level(HEATER) == 0);
    keeper_listen(&keeper, now);
    EXPECT(level(FAN) == 1 && level(VALVE) == 0 && look("fan").deadline_ns == 0);
    /* Nine seconds later: nothing has waited. */
    now += 9000 * KEEPER_MS;
    keeper_listen(&keeper, now);
    EXPECT(level(FAN) == 0 && level(VALVE) == 1);
}

static void what_is_over_is_over(void) {
    greenhouse_at_work();
    set(0, "heater", 1, 100);
    now += 200 * KEEPER_MS; /* and nobody has called keeper_tick */
    set(0, "heater", 1, 5000);
    EXPECT(level(HEATER) == 1 && fake_counts("header", HEATER).changes == 3); /* it was off in between */
    keeper_lost(&keeper, 0, now);
    now += 1000 * KEEPER_MS;
    EXPECT(order(1, KEEPER_ADOPT, "valve").value == 1 && look("valve").cause == KEEPER_CAUSE_AGENT_LOST);
    EXPECT(order(1, KEEPER_ADOPT, "fan").value == 1);
}

static void tries_again_to_be_safe(void) {
    greenhouse_at_work();
    while (news_for(0, NULL) > 0)
        continue;
    fake_fail("header", HEATER, EIO);
    pass(2000);
    struct keeper_report report = look("heater"), news;
    EXPECT(level(HEATER) == 1 && report.cause == KEEPER_CAUSE_LINE_FAILED && report.is_held == 1);
    EXPECT(strstr(report.text, "Input/output error") != NULL);
    EXPECT(news_for(0, &news) == 1 && news.status == -EIO && news.cause == KEEPER_CAUSE_LINE_FAILED);
    keeper_lost(&keeper, 0, now);
    pass(950);
    EXPECT(news_for(0, NULL) == 0 && look("heater").since_ns == report.since_ns);
    EXPECT(keeper_next(&keeper) == now + 50 * KEEPER_MS);
    fake_fail("header", HEATER, 0);
    pass(50);
    EXPECT(level(HEATER) == 0 && is_made_safe("heater", KEEPER_CAUSE_AGENT_SILENT));
    EXPECT(look("heater").interventions == 1 && strcmp(look("heater").text, "GPIO5 (header offset 5)") == 0);
}

static void what_could_not_be_driven_is_made_safe(void) {
    greenhouse();
    order(0, KEEPER_ADOPT, "valve");
    fake_fail("header", VALVE, ENODEV);
    struct keeper_report report = set(0, "valve", 0, 0);
    EXPECT(report.status == -ENODEV && report.cause == KEEPER_CAUSE_LINE_FAILED && report.is_held == 1);
    EXPECT(keeper_next(&keeper) == now + 100 * KEEPER_MS);
    fake_fail("header", VALVE, 0);
    unsigned drives = fake_counts("header", VALVE).drives;
    pass(100);
    EXPECT(fake_counts("header", VALVE).drives == drives + 1);
    EXPECT(is_made_safe("valve", KEEPER_CAUSE_ORDER) && keeper_next(&keeper) == KEEPER_NEVER);
    fake_fail("header", VALVE, EIO);
    EXPECT(set(0, "valve", 0, 0).status == -EIO);
    fake_fail("header", VALVE, 0);
    EXPECT(set(0, "valve", 1, 0).status == 0 && is_made_safe("valve", KEEPER_CAUSE_ORDER));
    EXPECT(fake_counts("header", VALVE).drives == drives + 2); /* driven, although it was thought to be there */
}

/* What the keeper itself made it before is not told a second time, nor counted. */
static void a_failed_order_has_no_other_cause(void) {
    greenhouse_at_work();
    keeper_lost(&keeper, 0, now);
    order(1, KEEPER_ADOPT, "heater");
    EXPECT(is_made_safe("heater", KEEPER_CAUSE_AGENT_LOST) && look("heater").interventions == 1);
    fake_fail("header", HEATER, EIO);
    EXPECT(set(1, "heater", 1, 0).status == -EIO);
    fake_fail("header", HEATER, 0);
    pass(100);
    EXPECT(is_made_safe("heater", KEEPER_CAUSE_ORDER) && look("heater").interventions == 1);
}

static void orders_put_safety_off_no_longer(void) {
    greenhouse();
    order(0, KEEPER_ADOPT, "heater");
    fake_fail("header", HEATER, EIO);
    const int64_t first = now;
    for (int i = 0; i < 3; i++) {
        EXPECT(set(0, "heater", 1, 0).status == -EIO);
        EXPECT(keeper_next(&keeper) == first + (i < 2 ? 100 : 200) * KEEPER_MS);
        pass(50);
    }
    /* An agent that is lost meanwhile is the cause of nothing. */
    keeper_lost(&keeper, 0, now);
    fake_fail("header", HEATER, 0);
    pass(50);
    EXPECT(now == first + 200 * KEEPER_MS && is_made_safe("heater", KEEPER_CAUSE_ORDER));
    EXPECT(look("heater").interventions == 0);
}

static void gives_all_back(void) {
    greenhouse_at_work();
    EXPECT(keeper_stop(&keeper, now) == 3);
    for (uint32_t line = HEATER; line <= VALVE; line++) {
        struct fake_counts counts = fake_counts("header", line);
        EXPECT(counts.drives == 2 && counts.releases == 1);
    }
    greenhouse_at_work();
    while (news_for(KEEPER_NOBODY, NULL) > 0)
        continue;
    fake_fail("header", FAN, EIO);
    struct keeper_report news;
    EXPECT(keeper_stop(&keeper, now) == 3 && news_for(0, &news) == 1);
    EXPECT(strcmp(news.output, "fan") == 0 && news.status == -EIO);
}

void policy_tests(void) {
    promise("An output whose agent is lost is made safe at once", safe_at_once);
    promise("An output that is to be held without its agent is safe when that is over, and not before",
            held_for_a_while);
    promise("The end of a connection that has adopted nothing changes nothing", a_stranger_is_no_loss);
    promise("An agent that restarts again and again finds its outputs untouched", adopted_again_without_an_edge);
    promise("A new agent answers for what it has adopted, and for nothing else", only_what_is_adopted_is_kept);
    promise("An output is safe at its deadline, and its agent is told", ends_at_its_deadline);
    promise("A deadline can be moved and taken away without touching the line", a_deadline_can_be_moved);
    promise("Of deadline and hold the earlier counts, and adoption ends the hold alone", the_earlier_counts);
    promise("An agent that is silent counts as lost", silence_is_a_loss);
    promise("A heartbeat in time saves what is held", a_heartbeat_ends_silence);
    promise("Every order is a sign of life, and noise is none", every_order_is_a_sign_of_life);
    promise("The loss of an agent that was silent before gives no more time", a_loss_does_not_lengthen_silence);
    promise("While all outputs are safe the keeper never wakes", nothing_to_do_while_safe);
    promise("A keeper that was stopped itself: deadlines first, then orders, and silence last",
            the_keeper_itself_was_stopped);
    promise("What is over is over, also for an order that is read before anything else", what_is_over_is_over);
    promise("A line that can't be made safe is tried every 100 ms, and that is news once", tries_again_to_be_safe);
    promise("A line that could not be driven away from safe is made safe", what_could_not_be_driven_is_made_safe);
    promise("A line that an order failed to drive is made safe because of that, whatever was before",
            a_failed_order_has_no_other_cause);
    promise("Orders that fail again and again don't put off that a line is made safe", orders_put_safety_off_no_longer);
    promise("A keeper that stops makes all safe and gives all lines back", gives_all_back);
}
