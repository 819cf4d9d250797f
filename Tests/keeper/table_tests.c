/* The keeper reads the table that the agent wrote, and nothing of a table that is not exactly that. */
#include "tests.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char heater[] = "output heater\nchip pinctrl-bcm2711\noffset 5\nline GPIO5\nactive low\nbias as-is\n"
                             "safe 0\nagent-lost 0\n";
static const char pump[] = "output pump 2\nagent-lost 5000\nsafe 1\nbias pull-down\nactive high\nline the pump's\n"
                           "offset 0\nchip two words\n";

/* FNV-1a as the format has it, written a second time. */
static uint64_t checksum_of(const char *text) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    while (*text != '\0') {
        hash ^= (unsigned char)*text++;
        hash *= UINT64_C(0x100000001b3);
    }
    return hash;
}

size_t finish_table(char file[8192], const char *body, unsigned count) {
    return (size_t)snprintf(file, 8192, "%send %u %016" PRIx64 "\n", body, count, checksum_of(body));
}

static size_t good_file(char file[8192]) {
    char body[1024];
    snprintf(body, sizeof body, "m2m-keeper table 1\nheartbeat 2000\n%s%s", heater, pump);
    return finish_table(file, body, 2);
}

static bool parse(const char *text, size_t size, struct table *table) {
    unsigned line = 0;
    char problem[KEEPER_TEXT_SIZE] = "";
    /* A copy of exactly this size, so that reading beyond it is noticed. */
    char copy[8192];
    char *exact = copy + sizeof copy - size;
    memcpy(exact, text, size);
    bool is_good = table_parse(exact, size, table, &line, problem);
    EXPECT(is_good == (problem[0] == '\0'));
    EXPECT(is_good || line > 0);
    return is_good;
}

static void reads_a_table(void) {
    char file[8192];
    struct table table;
    size_t size = good_file(file);
    EXPECT(parse(file, size, &table));
    EXPECT(table.count == 2 && table.heartbeat_ms == 2000);
    const struct table_output *one = &table.outputs[0], *two = &table.outputs[1];
    EXPECT(strcmp(one->name, "heater") == 0 && strcmp(one->chip, "pinctrl-bcm2711") == 0 && one->offset == 5);
    EXPECT(strcmp(one->line, "GPIO5") == 0 && one->is_active_low && one->bias == CGPIO_BIAS_AS_IS);
    EXPECT(one->safe == 0 && one->agent_lost_ms == 0);
    EXPECT(strcmp(two->name, "pump 2") == 0 && strcmp(two->chip, "two words") == 0 && two->offset == 0);
    EXPECT(strcmp(two->line, "the pump's") == 0 && !two->is_active_low && two->bias == CGPIO_BIAS_PULL_DOWN);
    EXPECT(two->safe == 1 && two->agent_lost_ms == 5000);
    size = finish_table(file, "m2m-keeper table 1\nheartbeat 100\n", 0);
    EXPECT(parse(file, size, &table) && table.count == 0);
}

static void knows_the_checksum(void) {
    char file[8192];
    struct table table;
    size_t size = finish_table(file, "m2m-keeper table 1\nheartbeat 2000\n", 0);
    EXPECT(parse(file, size, &table));
    EXPECT(table.checksum == checksum_of("m2m-keeper table 1\nheartbeat 2000\n"));
    EXPECT(checksum_of("foobar") == UINT64_C(0x85944171f73967e8)); /* from the authors of FNV */
}

static void refuses_truncated(void) {
    char file[8192];
    struct table table;
    size_t size = good_file(file);
    for (size_t length = 0; length < size; length++) {
        remark("cut after %zu bytes", length);
        EXPECT(!parse(file, length, &table));
    }
}

static void refuses_flipped(void) {
    char file[8192];
    struct table table;
    size_t size = good_file(file);
    for (size_t place = 0; place < size; place++) {
        for (int with = 1; with < 256; with++) {
            file[place] = (char)(file[place] ^ with);
            remark("byte %zu xor %d", place, with);
            EXPECT(!parse(file, size, &table));
            file[place] = (char)(file[place] ^ with);
        }
    }
    EXPECT(parse(file, size, &table));
}

/* Replaces the first `what` in the good table by `with`, with a checksum that is right, and expects these words. */
static void refuses_as(const char *what, const char *with, const char *words, unsigned expected_line) {
    char body[4096], file[8192], problem[KEEPER_TEXT_SIZE] = "";
    static struct table table;
    snprintf(body, sizeof body, "m2m-keeper table 1\nheartbeat 2000\n%s%s", heater, pump);
    char *place = strstr(body, what);
    EXPECT(place != NULL);
    if (place == NULL) return;
    char rest[2048];
    snprintf(rest, sizeof rest, "%s", place + strlen(what));
    snprintf(place, sizeof body - (size_t)(place - body), "%s%s", with, rest);
    size_t size = finish_table(file, body, 2);
    unsigned line = 0;
    bool is_good = table_parse(file, size, &table, &line, problem);
    remark("'%s' for '%s': line %u: %s", with, what, line, problem);
    EXPECT(!is_good);
    EXPECT(strstr(problem, words) != NULL);
    EXPECT(line == expected_line);
}

static void names_what_is_wrong(void) {
    refuses_as("m2m-keeper", "m2m", "does not begin", 1);
    refuses_as("table 1", "table 2", "this keeper reads version 1 only", 1);
    refuses_as("heartbeat 2000", "heartbeat 99", "from 100 to 60000", 2);
    refuses_as("heartbeat 2000", "heartbeat 60001", "from 100 to 60000", 2);
    refuses_as("heartbeat 2000", "heartbeat 02000", "must be a number", 2);
    refuses_as("heartbeat 2000", "heartbeat +200", "must be a number", 2);
    refuses_as("heartbeat 2000", "heartbeat ", "must be a number", 2);
    refuses_as("heartbeat 2000", "heart 2000", "where heartbeat should", 2);
    refuses_as("output heater", "input heater", "'input' was not expected", 3);
    refuses_as("output heater", "output ", "1 to 63 characters", 3);
    refuses_as("output heater", "output", "no space", 3);
    refuses_as("chip pinctrl-bcm2711", "chip a-label-that-no-kernel-would-take", "1 to 31 characters", 4);
    refuses_as("offset 5", "offset 4294967296", "offset must be a number", 5);
    refuses_as("offset 5", "offset -1", "offset must be a number", 5);
    refuses_as("active low", "active 0", "active can't be '0'", 7);
    refuses_as("bias as-is", "bias pull", "bias can't be 'pull'", 8);
    refuses_as("safe 0", "safe 2", "from 0 to 1", 9);
    refuses_as("agent-lost 0", "agent-lost 86400001", "from 0 to 86400000", 10);
    refuses_as("safe 0", "safe 0\nsafe 0", "twice", 10);
    refuses_as("safe 0\n", "", "'output' was not expected in output 'heater'", 10);
    refuses_as("safe 0", "colour 0", "'colour' was not expected", 9);
    refuses_as("line GPIO5", "line GPIO5\r", "not plain ASCII", 6);
    refuses_as("line GPIO5", "line \xc3\xa4", "byte 6 is not plain ASCII", 6);
    refuses_as("pump 2", "heater", "two outputs are named 'heater'", 18);
    refuses_as("offset 0\nchip two words", "offset 5\nchip pinctrl-bcm2711", "same line", 18);
    char text[160];
    memset(text, 'x', sizeof text);
    memcpy(text, "line ", 5);
    text[TABLE_LINE_LIMIT] = '\0';
    refuses_as("safe 0", text, "twice", 9); /* of this length a line is read */
    text[TABLE_LINE_LIMIT] = 'x';
    text[TABLE_LINE_LIMIT + 1] = '\0';
    refuses_as("safe 0", text, "longer than 127 bytes", 9);
}

static void refuses_wrong_ends(void) {
    char file[8192];
    struct table table;
    const char *body = "m2m-keeper table 1\nheartbeat 2000\n";
    size_t size = finish_table(file, body, 1);
    EXPECT(!parse(file, size, &table));
    size = finish_table(file, body, 0);
    file[size++] = '\n';
    EXPECT(!parse(file, size, &table));
    size = finish_table(file, body, 0);
    EXPECT(parse(file, size, &table));
    for (char *letter = strstr(file, "end ") + 6; *letter != '\0'; letter++) {
        if (*letter >= 'a' && *letter <= 'f') *letter = (char)(*letter - 'a' + 'A');
    }
    EXPECT(!parse(file, size, &table));
}

static void bounds_the_count(void) {
    char body[8192] = "m2m-keeper table 1\nheartbeat 2000\n", file[16384];
    static struct table table;
    unsigned line;
    char problem[KEEPER_TEXT_SIZE];
    for (unsigned i = 0; i <= KEEPER_OUTPUT_LIMIT; i++) {
        size_t size = (size_t)snprintf(file, sizeof file, "%send %u %016" PRIx64 "\n", body, i, checksum_of(body));
        EXPECT(table_parse(file, size, &table, &line, problem) && table.count == i);
        snprintf(body + strlen(body), sizeof body - strlen(body),
                 "output o%u\nchip c\noffset %u\nline \nactive low\nbias as-is\nsafe 0\nagent-lost 0\n", i, i);
    }
    size_t size = (size_t)snprintf(file, sizeof file, "%send 65 %016" PRIx64 "\n", body, checksum_of(body));
    EXPECT(!table_parse(file, size, &table, &line, problem));
}

static void survives_noise(void) {
    char file[8192];
    static struct table table;
    struct dice dice = {.state = 4711};
    for (int round = 0; round < 20000; round++) {
        size_t size = good_file(file);
        for (uint32_t edits = roll(&dice, 4) + 1; edits > 0; edits--) {
            file[roll(&dice, (uint32_t)size)] = (char)roll(&dice, 256);
        }
        size -= roll(&dice, 8);
        char original[8192];
        size_t original_size = good_file(original);
        bool is_same = size == original_size && memcmp(file, original, size) == 0;
        remark("round %d of seed 4711", round);
        EXPECT(parse(file, size, &table) == is_same);
    }
}

void table_tests(void) {
    promise("A table is read with every key of every output, in any order", reads_a_table);
    promise("Its checksum is FNV-1a over all that stands before the end", knows_the_checksum);
    promise("A table that was cut off anywhere is refused", refuses_truncated);
    promise("A table with any one byte changed to any other is refused", refuses_flipped);
    promise("What is wrong is named, with its line", names_what_is_wrong);
    promise("A wrong count, a byte after the end and a checksum in capitals are refused", refuses_wrong_ends);
    promise("A table has up to 64 outputs", bounds_the_count);
    promise("Random damage is refused and never harms", survives_noise);
}
