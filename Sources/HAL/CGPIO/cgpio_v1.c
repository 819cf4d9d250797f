/* cgpio over libgpiod 1.x, which speaks the kernel's GPIO uAPI v1: no kernel debounce, no edge counter. */
#include <gpiod.h>

#ifdef GPIOD_LINE_BULK_MAX_LINES /* exists in 1.x only */

#include "cgpio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cgpio_line {
    struct gpiod_chip *chip; /* owns line */
    struct gpiod_line *line;
};

/* libgpiod reports by errno; a failure without one must not look like success. */
static int failure(void) { return errno > 0 ? -errno : -EIO; }

static void copy_name(char to[CGPIO_NAME_SIZE], const char *from) {
    snprintf(to, CGPIO_NAME_SIZE, "%s", from != NULL ? from : "");
}

const char *cgpio_library_version(void) { return gpiod_version_string(); }

bool cgpio_has_kernel_debounce(void) { return false; }

/* MARK: chips. A struct cgpio_chip is libgpiod's own struct under another name. */

int cgpio_chip_open(const char *path, struct cgpio_chip **chip) {
    errno = 0;
    *chip = (struct cgpio_chip *)gpiod_chip_open(path);
    return *chip != NULL ? 0 : failure();
}

void cgpio_chip_close(struct cgpio_chip *chip) { gpiod_chip_close((struct gpiod_chip *)chip); }

int cgpio_chip_info(struct cgpio_chip *chip, struct cgpio_chip_info *info) {
    struct gpiod_chip *gpiod = (struct gpiod_chip *)chip;
    copy_name(info->name, gpiod_chip_name(gpiod));
    copy_name(info->label, gpiod_chip_label(gpiod));
    info->line_count = gpiod_chip_num_lines(gpiod);
    return 0;
}

static enum cgpio_bias bias_of(struct gpiod_line *line) {
    switch (gpiod_line_bias(line)) {
    case GPIOD_LINE_BIAS_DISABLE: return CGPIO_BIAS_DISABLED;
    case GPIOD_LINE_BIAS_PULL_UP: return CGPIO_BIAS_PULL_UP;
    case GPIOD_LINE_BIAS_PULL_DOWN: return CGPIO_BIAS_PULL_DOWN;
    default: return CGPIO_BIAS_AS_IS;
    }
}

static enum cgpio_direction direction_of(struct gpiod_line *line) {
    return gpiod_line_direction(line) == GPIOD_LINE_DIRECTION_OUTPUT ? CGPIO_DIRECTION_OUTPUT : CGPIO_DIRECTION_INPUT;
}

int cgpio_chip_line_info(struct cgpio_chip *chip, uint32_t offset, struct cgpio_line_info *info) {
    errno = 0;
    struct gpiod_line *line = gpiod_chip_get_line((struct gpiod_chip *)chip, offset);
    if (line == NULL || gpiod_line_update(line) != 0) return failure();
    copy_name(info->name, gpiod_line_name(line));
    copy_name(info->consumer, gpiod_line_consumer(line));
    info->offset = offset;
    info->is_used = gpiod_line_is_used(line);
    info->is_active_low = gpiod_line_active_state(line) == GPIOD_LINE_ACTIVE_STATE_LOW;
    info->direction = direction_of(line);
    info->bias = bias_of(line);
    return 0;
}

/* MARK: lines */

static int flags_of(const struct cgpio_settings *settings) {
    int flags = 0;
    if (settings->is_active_low) flags |= GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW;
    if (settings->is_open_drain) flags |= GPIOD_LINE_REQUEST_FLAG_OPEN_DRAIN;
    switch (settings->bias) {
    case CGPIO_BIAS_DISABLED: flags |= GPIOD_LINE_REQUEST_FLAG_BIAS_DISABLE; break;
    case CGPIO_BIAS_PULL_UP: flags |= GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP; break;
    case CGPIO_BIAS_PULL_DOWN: flags |= GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN; break;
    case CGPIO_BIAS_AS_IS: break;
    }
    return flags;
}

static int direction_request_of(const struct cgpio_settings *settings) {
    switch (settings->direction) {
    case CGPIO_DIRECTION_INPUT: return GPIOD_LINE_REQUEST_DIRECTION_INPUT;
    case CGPIO_DIRECTION_OUTPUT: return GPIOD_LINE_REQUEST_DIRECTION_OUTPUT;
    default: return GPIOD_LINE_REQUEST_DIRECTION_AS_IS;
    }
}

int cgpio_line_request(const char *chip_path, uint32_t offset, const char *consumer,
                       const struct cgpio_settings *settings, struct cgpio_line **line) {
    *line = NULL;
    struct cgpio_line *taken = calloc(1, sizeof *taken);
    if (taken == NULL) return -ENOMEM;
    errno = 0;
    int result = 0;
    taken->chip = gpiod_chip_open(chip_path);
    if (taken->chip != NULL) taken->line = gpiod_chip_get_line(taken->chip, offset);
    if (taken->line == NULL) {
        result = failure();
    } else {
        struct gpiod_line_request_config config = {
            .consumer = consumer,
            .request_type = settings->with_edges ? GPIOD_LINE_REQUEST_EVENT_BOTH_EDGES : direction_request_of(settings),
            .flags = flags_of(settings),
        };
        if (gpiod_line_request(taken->line, &config, settings->value) != 0) result = failure();
    }
    if (result == 0 && settings->with_edges) {
        /* Edges are read until none is left, which must not block. */
        int fd = gpiod_line_event_get_fd(taken->line);
        int status = fd < 0 ? -1 : fcntl(fd, F_GETFL);
        if (status < 0 || fcntl(fd, F_SETFL, status | O_NONBLOCK) < 0) result = failure();
    }
    if (result != 0) {
        cgpio_line_release(taken);
        return result;
    }
    *line = taken;
    return 0;
}

void cgpio_line_release(struct cgpio_line *line) {
    if (line == NULL) return;
    if (line->chip != NULL) gpiod_chip_close(line->chip); /* releases the line too */
    free(line);
}

int cgpio_line_reconfigure(struct cgpio_line *line, const struct cgpio_settings *settings) {
    errno = 0;
    return gpiod_line_set_config(line->line, direction_request_of(settings), flags_of(settings), settings->value) == 0
               ? 0
               : failure();
}

int cgpio_line_direction(struct cgpio_line *line) {
    errno = 0;
    return gpiod_line_update(line->line) == 0 ? (int)direction_of(line->line) : failure();
}

int cgpio_line_get(struct cgpio_line *line) {
    errno = 0;
    int value = gpiod_line_get_value(line->line);
    return value >= 0 ? value : failure();
}

int cgpio_line_set(struct cgpio_line *line, int value) {
    errno = 0;
    return gpiod_line_set_value(line->line, value != 0) == 0 ? 0 : failure();
}

int cgpio_line_fd(struct cgpio_line *line) {
    errno = 0;
    int fd = gpiod_line_event_get_fd(line->line);
    return fd >= 0 ? fd : failure();
}

int cgpio_line_read_event(struct cgpio_line *line, struct cgpio_event *event) {
    struct gpiod_line_event read;
    errno = 0;
    if (gpiod_line_event_read(line->line, &read) != 0) return errno == EAGAIN ? 0 : failure();
    event->timestamp_ns = (uint64_t)read.ts.tv_sec * 1000000000u + (uint64_t)read.ts.tv_nsec;
    event->sequence = 0;
    event->is_rising = read.event_type == GPIOD_LINE_EVENT_RISING_EDGE;
    return 1;
}

#endif
