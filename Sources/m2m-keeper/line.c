/* line - where the line of an output is, who holds it, and taking it. Over cgpio. */
#include "line.h"
#include "text.h"

#include <errno.h>
#include <string.h>

/* The kernel numbers GPIO chips from 0 to 255 (GPIO_DEV_MAX). */
#define CHIP_LIMIT 256
#define PATH_SIZE 32

/* What a search over all chips has found. */
struct search {
    const struct table_output *output;
    char path[PATH_SIZE]; /* the chip, once found */
    struct cgpio_line_info info;
    unsigned too_short; /* chips with the label that lack the offset */
    unsigned fitting;   /* chips with the label and the offset */
    unsigned named;     /* those of them whose line has the name */
    uint32_t lines;     /* how many lines the last one that is too short has */
    int error;          /* why a chip could not be looked at, if one could not */
};

/* The chip's label and its line, where the chip is of interest. */
static int inspect(struct search *search, struct cgpio_chip *chip, const char *path) {
    const struct table_output *output = search->output;
    struct cgpio_chip_info info;
    int result = cgpio_chip_info(chip, &info);
    if (result != 0) return result;
    /* A path with another name than the chip's own is a link to a chip that is counted under its own. */
    if (strcmp(path + strlen("/dev/"), info.name) != 0 || strcmp(info.label, output->chip) != 0) return 0;
    if (output->offset >= info.line_count) {
        search->too_short++;
        search->lines = info.line_count;
        return 0;
    }
    struct cgpio_line_info line;
    result = cgpio_chip_line_info(chip, output->offset, &line);
    if (result != 0) return result;
    bool is_named = output->line[0] != '\0' && strcmp(line.name, output->line) == 0;
    search->fitting++;
    if (is_named) search->named++;
    if (search->fitting == 1 || is_named) {
        memcpy(search->path, path, PATH_SIZE);
        search->info = line;
    }
    return 0;
}

static int find(struct search *search, char problem[KEEPER_TEXT_SIZE]) {
    const struct table_output *output = search->output;
    for (unsigned number = 0; number < CHIP_LIMIT; number++) {
        char path[PATH_SIZE] = "";
        text_put(path, sizeof path, "/dev/gpiochip%u", number);
        struct cgpio_chip *chip = NULL;
        int result = cgpio_chip_open(path, &chip);
        if (result == 0) {
            result = inspect(search, chip, path);
            cgpio_chip_close(chip);
        }
        if (result != 0 && result != -ENOENT) search->error = result;
    }
    if (search->fitting == 1 || search->named == 1) return 0;

    int error = -ENODEV;
    if (search->fitting > 1) {
        text_put(problem, KEEPER_TEXT_SIZE, "%u chips are called '%s', and not one of them alone has a line named '%s'",
                 search->fitting, output->chip, output->line);
    } else if (search->too_short > 0) {
        text_put(problem, KEEPER_TEXT_SIZE, "chip '%s' has no line %u: it has %u lines", output->chip, output->offset,
                 search->lines);
    } else if (search->error != 0) {
        error = search->error;
        text_put(problem, KEEPER_TEXT_SIZE, "no chip is called '%s', of those that could be looked at: %s",
                 output->chip, strerror(-error));
    } else {
        text_put(problem, KEEPER_TEXT_SIZE, "no chip of this machine is called '%s'", output->chip);
    }
    return error;
}

int line_look(const struct table_output *output, struct cgpio_line_info *info, char problem[KEEPER_TEXT_SIZE]) {
    struct search search = {.output = output};
    int result = find(&search, problem);
    if (result == 0) *info = search.info;
    return result;
}

int line_take(const struct table_output *output, struct cgpio_line **line, char problem[KEEPER_TEXT_SIZE]) {
    struct search search = {.output = output};
    int result = find(&search, problem);
    if (result != 0) return result;
    char consumer[CGPIO_NAME_SIZE];
    text_put(consumer, sizeof consumer, LINE_CONSUMER_PREFIX "%s", output->name);
    struct cgpio_settings settings = {
        .direction = CGPIO_DIRECTION_OUTPUT,
        .bias = output->bias,
        .is_active_low = output->is_active_low,
        .value = output->safe,
    };
    result = cgpio_line_request(search.path, output->offset, consumer, &settings, line);
    if (result == -EBUSY) {
        line_holder(&search.info, problem);
    } else if (result != 0) {
        text_put(problem, KEEPER_TEXT_SIZE, "it can't be taken: %s", strerror(-result));
    }
    return result;
}

void line_holder(const struct cgpio_line_info *info, char text[KEEPER_TEXT_SIZE]) {
    if (info->consumer[0] != '\0') {
        text_put(text, KEEPER_TEXT_SIZE, "held by \"%s\"", info->consumer);
    } else {
        text_put(text, KEEPER_TEXT_SIZE, "held by somebody who gave no name");
    }
}
