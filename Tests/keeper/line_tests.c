/* The line of an output is the one that the table means or none, and is taken without a moment at another value. */
#include "line.h"
#include "tests.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct table_output on_chip(const char *chip, uint32_t offset, const char *line) {
    struct table_output output = make_output("heater", offset, 0, 0);
    strcpy(output.chip, chip);
    strcpy(output.line, line);
    return output;
}

static int found(const char *chip, uint32_t offset, const char *line, char problem[KEEPER_TEXT_SIZE]) {
    struct cgpio_line_info info;
    struct table_output output = on_chip(chip, offset, line);
    problem[0] = '\0';
    return line_look(&output, &info, problem);
}

static void finds_by_label(void) {
    char problem[KEEPER_TEXT_SIZE];
    fake_reset();
    fake_chip("expander", 8, "");
    fake_chip("header", 28, "GPIO%");
    fake_link(4, 1);
    fake_link(31, 0);
    EXPECT(found("header", 27, "whatever people say", problem) == 0);
    EXPECT(found("expander", 7, "", problem) == 0);
    EXPECT(found("header", 28, "GPIO28", problem) == -ENODEV);
    EXPECT(strcmp(problem, "chip 'header' has no line 28: it has 28 lines") == 0);
    EXPECT(found("elsewhere", 0, "", problem) == -ENODEV);
    EXPECT(strcmp(problem, "no chip of this machine is called 'elsewhere'") == 0);
    fake_hide("header", 5, EIO);
    EXPECT(found("header", 5, "GPIO5", problem) == -EIO);
    EXPECT(strstr(problem, "Input/output error") != NULL && strstr(problem, "28 lines") == NULL);
    fake_lock(EACCES);
    EXPECT(found("header", 5, "GPIO5", problem) == -EACCES);
    EXPECT(strstr(problem, "Permission denied") != NULL);
}

static void tells_twins_apart(void) {
    char problem[KEEPER_TEXT_SIZE];
    fake_reset();
    fake_chip("twin", 8, "LEFT%");
    fake_chip("twin", 16, "RIGHT%");
    EXPECT(found("twin", 3, "RIGHT3", problem) == 0);
    struct cgpio_line_info info;
    struct table_output output = on_chip("twin", 3, "RIGHT3");
    EXPECT(line_look(&output, &info, problem) == 0 && strcmp(info.name, "RIGHT3") == 0);
    EXPECT(found("twin", 3, "GPIO3", problem) == -ENODEV);
    EXPECT(strstr(problem, "2 chips are called 'twin'") != NULL);
    EXPECT(found("twin", 12, "GPIO12", problem) == 0); /* only one of them has it */
    fake_chip("twin", 16, "RIGHT%");
    EXPECT(found("twin", 3, "RIGHT3", problem) == -ENODEV);
}

/* One output at its start: the level of the line, and how often it has changed. */
static void starts_at(int safe, bool is_active_low, int expected) {
    struct table_output output = make_output("a-name-longer-than-a-consumer-may-be", 5, safe, 0);
    output.is_active_low = is_active_low;
    world(&output, 1);
    struct fake_counts counts = fake_counts("header", 5);
    EXPECT(level(5) == expected && counts.changes == (unsigned)expected);
    EXPECT(counts.requests == 1 && counts.drives == 0);
    EXPECT(strcmp(fake_consumer("header", 5), "m2m-keeper a-name-longer-than-a") == 0);
    EXPECT(keeper_next(&keeper) == KEEPER_NEVER);
    EXPECT(keeper_stop(&keeper, now) == 0);
    EXPECT(fake_counts("header", 5).releases == 1);
}

static void starts_safe(void) {
    starts_at(0, false, 0);
    starts_at(0, true, 1);
    starts_at(1, false, 1);
    starts_at(1, true, 0);
}

/* Takes the line of a table that says `word`, and sees with which resistor it is held. */
static void is_held_with(const char *word, enum cgpio_bias expected) {
    char body[512], file[8192], problem[KEEPER_TEXT_SIZE] = "";
    struct table table;
    struct cgpio_line_info info;
    unsigned line = 0;
    remark("bias %s", word);
    snprintf(body, sizeof body,
             "m2m-keeper table 1\nheartbeat 2000\noutput heater\nchip header\noffset 5\nline GPIO5\nactive high\n"
             "bias %s\nsafe 0\nagent-lost 0\n",
             word);
    bool is_good = table_parse(file, finish_table(file, body, 1), &table, &line, problem);
    EXPECT(is_good);
    if (!is_good) return;
    world(NULL, 0);
    keeper_start(&keeper, &table, now);
    EXPECT(line_look(&table.outputs[0], &info, problem) == 0);
    EXPECT(info.is_used && info.direction == CGPIO_DIRECTION_OUTPUT);
    EXPECT(info.bias == expected);
}

static void asks_for_the_bias(void) {
    is_held_with("pull-up", CGPIO_BIAS_PULL_UP);
    is_held_with("pull-down", CGPIO_BIAS_PULL_DOWN);
    is_held_with("disabled", CGPIO_BIAS_DISABLED);
    is_held_with("as-is", CGPIO_BIAS_AS_IS);
}

/* Starts with GPIO5 and GPIO6 busy for so many tries each. */
static void start_busy(int tries, int other_tries) {
    struct table_output outputs[] = {make_output("heater", 5, 0, 0), make_output("fan", 6, 0, 0),
                                     make_output("pump", 7, 0, 0)};
    world(NULL, 0);
    fake_busy("header", 5, "gpioset", tries);
    fake_busy("header", 6, "", other_tries);
    struct table table = make_table(outputs, 3);
    keeper_start(&keeper, &table, now);
}

static void waits_for_busy_lines(void) {
    start_busy(3, 1);
    EXPECT(!keeper_is_settled(&keeper));
    EXPECT(look("pump").is_held == 1);
    EXPECT(keeper_next(&keeper) == now + 20 * KEEPER_MS);
    pass(59);
    EXPECT(!look("heater").is_held && look("fan").is_held);
    pass(1);
    EXPECT(look("heater").is_held && keeper_is_settled(&keeper));
    EXPECT(keeper_next(&keeper) == KEEPER_NEVER);
}

static void gives_up_after_a_while(void) {
    start_busy(FAKE_FOR_EVER, FAKE_FOR_EVER);
    pass(399);
    EXPECT(!keeper_is_settled(&keeper));
    pass(1);
    EXPECT(keeper_is_settled(&keeper) && keeper_next(&keeper) == KEEPER_NEVER);
    EXPECT(fake_counts("header", 5).refusals == 21);
    struct keeper_report heater = look("heater");
    EXPECT(heater.status == 0 && !heater.is_held);
    EXPECT(strcmp(heater.text, "GPIO5 (header offset 5): held by \"gpioset\"") == 0);
    EXPECT(strstr(look("fan").text, "held by somebody who gave no name") != NULL);
    EXPECT(look("pump").is_held);
    EXPECT(order(0, KEEPER_ADOPT, "heater").status == -EBUSY);
    EXPECT(set(0, "heater", 1, 0).status == -EBUSY);
    EXPECT(fake_counts("header", 5).refusals == 22);
}

/* At boot a chip, or the permission to open it, comes when udev has come to it. */
static void waits_for_a_chip(void) {
    struct table_output outputs[] = {make_output("heater", 5, 0, 0), make_output("lamp", 3, 0, 0)};
    struct keeper_report news;
    strcpy(outputs[1].chip, "expander");
    struct table table = make_table(outputs, 2);
    world(NULL, 0);
    fake_lock(EACCES);
    keeper_start(&keeper, &table, now);
    EXPECT(!keeper_is_settled(&keeper) && news_for(KEEPER_NOBODY, NULL) == 0);
    pass(99);
    fake_lock(0);
    pass(1);
    EXPECT(look("heater").is_held && news_for(KEEPER_NOBODY, &news) == 1 && strcmp(news.output, "heater") == 0);
    pass(299);
    EXPECT(!keeper_is_settled(&keeper) && news_for(KEEPER_NOBODY, NULL) == 0);
    pass(1);
    EXPECT(keeper_is_settled(&keeper) && keeper_next(&keeper) == KEEPER_NEVER);
    EXPECT(news_for(KEEPER_NOBODY, &news) == 1 && strcmp(news.output, "lamp") == 0 && news.status == -ENODEV);
    EXPECT(strstr(news.text, "no chip of this machine is called 'expander'") != NULL);

    /* A keeper that is stopped meanwhile does not keep to itself what it could not make safe. */
    world(NULL, 0);
    keeper_start(&keeper, &table, now);
    order(0, KEEPER_ADOPT, "heater");
    set(0, "heater", 1, 0);
    fake_fail("header", 5, EIO);
    while (news_for(0, NULL) > 0)
        continue;
    EXPECT(!keeper_is_settled(&keeper) && keeper_stop(&keeper, now) == 1);
    EXPECT(news_for(0, &news) == 1 && strcmp(news.output, "heater") == 0 && news.status == -EIO);
}

static void adoption_takes_a_line(void) {
    start_busy(22, FAKE_FOR_EVER);
    pass(400);
    EXPECT(order(0, KEEPER_ADOPT, "heater").is_held == 0);
    struct keeper_report adopted = order(0, KEEPER_ADOPT, "heater");
    EXPECT(adopted.status == 0 && adopted.is_held == 1 && adopted.value == 0);
    EXPECT(set(0, "heater", 1, 0).status == 0 && level(5) == 1);
}

/* Its chip goes under the heater that is on: what it was held by is of no use even when the chip is back. */
static void a_chip_comes_back(void) {
    struct table_output output = make_output("heater", 5, 0, 0);
    world(&output, 1);
    order(0, KEEPER_ADOPT, "heater");
    EXPECT(set(0, "heater", 1, 0).status == 0);
    fake_fail("header", 5, ENODEV);
    EXPECT(set(0, "heater", 0, 0).status == -ENODEV);
    fake_lock(ENODEV);
    EXPECT(order(0, KEEPER_ADOPT, "heater").status == -ENODEV && !look("heater").is_held);
    EXPECT(keeper_next(&keeper) == KEEPER_NEVER);
    fake_lock(0);
    fake_fail("header", 5, 0);
    struct keeper_report adopted = order(0, KEEPER_ADOPT, "heater");
    EXPECT(adopted.status == 0 && adopted.is_held == 1 && adopted.value == 0 && adopted.cause == KEEPER_CAUSE_START);
    EXPECT(fake_counts("header", 5).requests == 2 && fake_counts("header", 5).releases == 1 && level(5) == 0);
    EXPECT(keeper_next(&keeper) == KEEPER_NEVER && set(0, "heater", 1, 0).status == 0 && level(5) == 1);

    /* A line that fails otherwise is not let go: nobody else would make it safe. */
    fake_fail("header", 5, EIO);
    EXPECT(set(0, "heater", 0, 0).status == -EIO && order(0, KEEPER_ADOPT, "heater").is_held == 1);
    EXPECT(fake_counts("header", 5).releases == 1 && keeper_next(&keeper) == now + 100 * KEEPER_MS);
}

void line_tests(void) {
    promise("A chip is found by its label, once, whatever its number", finds_by_label);
    promise("Of chips with one label, the line's name decides, or nobody", tells_twins_apart);
    promise("A line is taken at its safe value in one step, under a name that fits", starts_safe);
    promise("A line is held with the resistor that the table asks for", asks_for_the_bias);
    promise("Lines that are busy are tried again every 20 ms while the others are kept", waits_for_busy_lines);
    promise("After 400 ms a busy line is given up, and its holder named", gives_up_after_a_while);
    promise("A chip that can't be had yet is waited for as long, and the reason named", waits_for_a_chip);
    promise("A line that was not to be had is taken at its adoption", adoption_takes_a_line);
    promise("A line whose chip went and came back is taken anew at its adoption", a_chip_comes_back);
}
