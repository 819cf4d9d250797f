/* The line of an output is the one that the table means or none, and is taken without a moment at another value. */
#include "line.h"
#include "tests.h"

#include <errno.h>
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

static void adoption_takes_a_line(void) {
    start_busy(22, FAKE_FOR_EVER);
    pass(400);
    EXPECT(order(0, KEEPER_ADOPT, "heater").is_held == 0);
    struct keeper_report adopted = order(0, KEEPER_ADOPT, "heater");
    EXPECT(adopted.status == 0 && adopted.is_held == 1 && adopted.value == 0);
    EXPECT(set(0, "heater", 1, 0).status == 0 && level(5) == 1);
}

void line_tests(void) {
    promise("A chip is found by its label, once, whatever its number", finds_by_label);
    promise("Of chips with one label, the line's name decides, or nobody", tells_twins_apart);
    promise("A line is taken at its safe value in one step, under a name that fits", starts_safe);
    promise("Lines that are busy are tried again every 20 ms while the others are kept", waits_for_busy_lines);
    promise("After 400 ms a busy line is given up, and its holder named", gives_up_after_a_while);
    promise("A line that was not to be had is taken at its adoption", adoption_takes_a_line);
}
