/* fake_cgpio - GPIO chips that are not there, behind the same calls as the real ones (cgpio.h). */
#include "fake_cgpio.h"
#include "cgpio.h"
#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHIP_LIMIT 8
#define LINE_LIMIT 64
#define NUMBER_LIMIT 32

struct cgpio_line {
    struct cgpio_chip *chip;
    uint32_t offset;
    bool is_used; /* by us, or by somebody else while it is busy */
    char consumer[CGPIO_NAME_SIZE];
    struct cgpio_settings settings;
    int level;
    int error;             /* of setting a value */
    int look_error;        /* of looking at it */
    int refusals;          /* how many requests more are refused; FAKE_FOR_EVER */
    int64_t refused_until; /* CLOCK_MONOTONIC; 0: not by time */
    struct fake_counts counts;
};

struct cgpio_chip {
    char label[CGPIO_NAME_SIZE];
    char pattern[CGPIO_NAME_SIZE];
    uint32_t line_count;
    struct cgpio_line lines[LINE_LIMIT];
};

static struct cgpio_chip chips[CHIP_LIMIT];
static int chip_count;
static int links[NUMBER_LIMIT]; /* the chip of a number, plus one; 0: none */
static int lock_error;
static const char *failing; /* the file of M2M_FAKE_FAIL; NULL: none */
static int log_file = -1;

static _Noreturn void die(const char *what) {
    fprintf(stderr, "fake_cgpio: %s\n", what);
    abort();
}

static struct cgpio_line *find(const char *label, uint32_t offset) {
    for (int i = 0; i < chip_count; i++) {
        if (strcmp(chips[i].label, label) == 0 && offset < chips[i].line_count) return &chips[i].lines[offset];
    }
    die("no such line");
}

static void note(const struct cgpio_line *line, const char *what, const char *which) {
    char entry[160];
    if (log_file < 0) return;
    int size = snprintf(entry, sizeof entry, "%" PRId64 " %s %u %s%s\n", clock_now(), line->chip->label, line->offset,
                        what, which);
    if (write(log_file, entry, (size_t)size) != size) die("the log can't be written");
}

static void change_level(struct cgpio_line *line, int level) {
    if (line->level == level) return;
    line->level = level;
    line->counts.changes++;
    note(line, "level ", level ? "1" : "0");
}

/* MARK: for tests */

void fake_reset(void) {
    memset(chips, 0, sizeof chips);
    memset(links, 0, sizeof links);
    chip_count = lock_error = 0;
}

int fake_chip(const char *label, uint32_t lines, const char *pattern) {
    if (chip_count == CHIP_LIMIT || lines > LINE_LIMIT) die("too many chips or lines");
    struct cgpio_chip *chip = &chips[chip_count];
    snprintf(chip->label, sizeof chip->label, "%s", label);
    snprintf(chip->pattern, sizeof chip->pattern, "%s", pattern);
    chip->line_count = lines;
    for (uint32_t i = 0; i < lines; i++) {
        chip->lines[i].chip = chip;
        chip->lines[i].offset = i;
    }
    links[chip_count] = chip_count + 1;
    return chip_count++;
}

void fake_link(unsigned number, int chip) { links[number] = chip + 1; }

void fake_busy(const char *label, uint32_t offset, const char *holder, int refusals) {
    struct cgpio_line *line = find(label, offset);
    line->is_used = true;
    line->refusals = refusals;
    snprintf(line->consumer, sizeof line->consumer, "%s", holder);
}

void fake_fail(const char *label, uint32_t offset, int error) { find(label, offset)->error = error; }
void fake_hide(const char *label, uint32_t offset, int error) { find(label, offset)->look_error = error; }
void fake_lock(int error) { lock_error = error; }
int fake_level(const char *label, uint32_t offset) { return find(label, offset)->level; }
struct fake_counts fake_counts(const char *label, uint32_t offset) {
    return find(label, offset)->counts;
}
const char *fake_consumer(const char *label, uint32_t offset) { return find(label, offset)->consumer; }

/* MARK: from the environment */

static void chips_from_environment(char *list) {
    char *rest = NULL;
    for (char *one = strtok_r(list, ",", &rest); one != NULL; one = strtok_r(NULL, ",", &rest)) {
        char label[CGPIO_NAME_SIZE], pattern[CGPIO_NAME_SIZE] = "";
        uint32_t lines;
        if (sscanf(one, "%31[^:]:%" SCNu32 ":%31s", label, &lines, pattern) < 2) die("M2M_FAKE_CHIPS is wrong");
        fake_chip(label, lines, pattern);
    }
}

static void busy_from_environment(char *list) {
    char *rest = NULL;
    for (char *one = strtok_r(list, ",", &rest); one != NULL; one = strtok_r(NULL, ",", &rest)) {
        char label[CGPIO_NAME_SIZE], holder[CGPIO_NAME_SIZE];
        uint32_t offset;
        int milliseconds;
        if (sscanf(one, "%31[^:]:%" SCNu32 ":%31[^:]:%d", label, &offset, holder, &milliseconds) != 4) {
            die("M2M_FAKE_BUSY is wrong");
        }
        fake_busy(label, offset, holder, FAKE_FOR_EVER);
        if (milliseconds >= 0) find(label, offset)->refused_until = clock_now() + milliseconds * INT64_C(1000000);
    }
}

static void read_environment(void) {
    static bool is_read;
    if (is_read) return;
    is_read = true;
    const char *wanted = getenv("M2M_FAKE_CHIPS");
    if (wanted == NULL) return;
    char list[1024];
    snprintf(list, sizeof list, "%s", wanted);
    chips_from_environment(list);
    const char *busy = getenv("M2M_FAKE_BUSY");
    snprintf(list, sizeof list, "%s", busy != NULL ? busy : "");
    busy_from_environment(list);
    failing = getenv("M2M_FAKE_FAIL");
    const char *log = getenv("M2M_FAKE_LOG");
    if (log == NULL) return;
    log_file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log_file < 0) die("M2M_FAKE_LOG can't be opened");
}

/* MARK: cgpio */

const char *cgpio_library_version(void) { return "simulated"; }
bool cgpio_has_kernel_debounce(void) { return false; }

int cgpio_chip_open(const char *path, struct cgpio_chip **chip) {
    static const char prefix[] = "/dev/gpiochip";
    read_environment();
    if (strncmp(path, prefix, sizeof prefix - 1) != 0) return -ENOENT;
    unsigned long number = strtoul(path + sizeof prefix - 1, NULL, 10);
    if (number >= NUMBER_LIMIT || links[number] == 0) return -ENOENT;
    if (lock_error != 0) return -lock_error;
    *chip = &chips[links[number] - 1];
    return 0;
}

void cgpio_chip_close(struct cgpio_chip *chip) { (void)chip; }

int cgpio_chip_info(struct cgpio_chip *chip, struct cgpio_chip_info *info) {
    snprintf(info->name, sizeof info->name, "gpiochip%d", (int)(chip - chips));
    memcpy(info->label, chip->label, sizeof info->label);
    info->line_count = chip->line_count;
    return 0;
}

/* Whether somebody else holds the line; that ends with time, where it does. */
static bool is_busy(struct cgpio_line *line) {
    if (line->refused_until != 0 && clock_now() >= line->refused_until) {
        line->refusals = 0;
        line->is_used = false;
        line->refused_until = 0;
    }
    return line->refusals != 0;
}

int cgpio_chip_line_info(struct cgpio_chip *chip, uint32_t offset, struct cgpio_line_info *info) {
    memset(info, 0, sizeof *info);
    if (offset >= chip->line_count) return -EINVAL;
    struct cgpio_line *line = &chip->lines[offset];
    if (line->look_error != 0) return -line->look_error;
    const char *percent = strchr(chip->pattern, '%');
    if (percent != NULL) {
        snprintf(info->name, sizeof info->name, "%.*s%u%s", (int)(percent - chip->pattern), chip->pattern, offset,
                 percent + 1);
    } else {
        memcpy(info->name, chip->pattern, sizeof info->name);
    }
    info->offset = offset;
    info->is_used = is_busy(line) || line->is_used;
    if (info->is_used) memcpy(info->consumer, line->consumer, sizeof info->consumer);
    info->is_active_low = line->settings.is_active_low;
    info->direction = line->settings.direction;
    info->bias = line->settings.bias;
    return 0;
}

static void apply(struct cgpio_line *line, const struct cgpio_settings *settings) {
    enum cgpio_direction before = line->settings.direction;
    line->settings = *settings;
    if (settings->direction == CGPIO_DIRECTION_AS_IS) line->settings.direction = before;
    if (settings->direction == CGPIO_DIRECTION_OUTPUT) {
        change_level(line, (settings->value != 0) != settings->is_active_low);
    } else if (settings->bias == CGPIO_BIAS_PULL_UP) {
        change_level(line, 1);
    } else if (settings->bias == CGPIO_BIAS_PULL_DOWN) {
        change_level(line, 0);
    }
}

int cgpio_line_request(const char *chip_path, uint32_t offset, const char *consumer,
                       const struct cgpio_settings *settings, struct cgpio_line **line) {
    struct cgpio_chip *chip;
    int result = cgpio_chip_open(chip_path, &chip);
    if (result != 0) return result;
    if (offset >= chip->line_count) return -EINVAL;
    struct cgpio_line *taken = &chip->lines[offset];
    if (is_busy(taken)) {
        taken->counts.refusals++;
        if (taken->refusals > 0) taken->refusals--;
        if (taken->refusals == 0) taken->is_used = false;
        return -EBUSY;
    }
    if (taken->is_used) return -EBUSY;
    taken->is_used = true;
    taken->counts.requests++;
    snprintf(taken->consumer, sizeof taken->consumer, "%s", consumer);
    note(taken, "request ", consumer);
    apply(taken, settings);
    *line = taken;
    return 0;
}

void cgpio_line_release(struct cgpio_line *line) {
    if (line == NULL) return;
    if (!line->is_used) die("a line was released twice");
    line->is_used = false;
    line->counts.releases++;
    note(line, "release", "");
    change_level(line, 0);
}

int cgpio_line_reconfigure(struct cgpio_line *line, const struct cgpio_settings *settings) {
    apply(line, settings);
    return 0;
}

int cgpio_line_direction(struct cgpio_line *line) { return (int)line->settings.direction; }
int cgpio_line_get(struct cgpio_line *line) { return (line->level != 0) != line->settings.is_active_low; }

/* Whether the file of M2M_FAKE_FAIL is there and has this line in it. */
static bool is_failing(const struct cgpio_line *line) {
    char entry[64], own[64];
    bool is_there = false;
    FILE *list = failing != NULL ? fopen(failing, "re") : NULL;
    if (list == NULL) return false;
    snprintf(own, sizeof own, "%s:%u", line->chip->label, line->offset);
    while (!is_there && fgets(entry, sizeof entry, list) != NULL) {
        entry[strcspn(entry, "\n")] = '\0';
        is_there = strcmp(entry, own) == 0 || strcmp(entry, "*") == 0;
    }
    fclose(list);
    return is_there;
}

int cgpio_line_set(struct cgpio_line *line, int value) {
    int level = (value != 0) != line->settings.is_active_low;
    if (!line->is_used) die("a line was driven that nobody holds");
    if (line->error != 0) return -line->error;
    if (is_failing(line)) {
        note(line, "failed ", level ? "1" : "0");
        return -EIO;
    }
    line->counts.drives++;
    change_level(line, level);
    return 0;
}

int cgpio_line_fd(struct cgpio_line *line) {
    (void)line;
    return -ENOTSUP;
}

int cgpio_line_read_event(struct cgpio_line *line, struct cgpio_event *event) {
    (void)line;
    (void)event;
    return 0;
}
