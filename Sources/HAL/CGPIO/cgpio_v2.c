/* cgpio over libgpiod 2.x, which speaks the kernel's GPIO uAPI v2. */
#include <gpiod.h>

#ifndef GPIOD_LINE_BULK_MAX_LINES /* exists in 1.x only */

#include "cgpio.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cgpio_line {
    struct gpiod_chip *chip;
    struct gpiod_line_request *request;
    struct gpiod_edge_event_buffer *events; /* room for one edge */
    uint32_t offset;
};

/* libgpiod reports by errno; a failure without one must not look like success. */
static int failure(void) { return errno > 0 ? -errno : -EIO; }

static void copy_name(char to[CGPIO_NAME_SIZE], const char *from) {
    snprintf(to, CGPIO_NAME_SIZE, "%s", from != NULL ? from : "");
}

const char *cgpio_library_version(void) { return gpiod_api_version(); }

bool cgpio_has_kernel_debounce(void) { return true; }

/* MARK: chips. A struct cgpio_chip is libgpiod's own struct under another name. */

int cgpio_chip_open(const char *path, struct cgpio_chip **chip) {
    errno = 0;
    *chip = (struct cgpio_chip *)gpiod_chip_open(path);
    return *chip != NULL ? 0 : failure();
}

void cgpio_chip_close(struct cgpio_chip *chip) { gpiod_chip_close((struct gpiod_chip *)chip); }

int cgpio_chip_info(struct cgpio_chip *chip, struct cgpio_chip_info *info) {
    errno = 0;
    struct gpiod_chip_info *read = gpiod_chip_get_info((struct gpiod_chip *)chip);
    if (read == NULL) return failure();
    copy_name(info->name, gpiod_chip_info_get_name(read));
    copy_name(info->label, gpiod_chip_info_get_label(read));
    info->line_count = (uint32_t)gpiod_chip_info_get_num_lines(read);
    gpiod_chip_info_free(read);
    return 0;
}

static enum cgpio_bias bias_of(struct gpiod_line_info *info) {
    switch (gpiod_line_info_get_bias(info)) {
    case GPIOD_LINE_BIAS_DISABLED: return CGPIO_BIAS_DISABLED;
    case GPIOD_LINE_BIAS_PULL_UP: return CGPIO_BIAS_PULL_UP;
    case GPIOD_LINE_BIAS_PULL_DOWN: return CGPIO_BIAS_PULL_DOWN;
    default: return CGPIO_BIAS_AS_IS;
    }
}

static enum cgpio_direction direction_of(struct gpiod_line_info *info) {
    return gpiod_line_info_get_direction(info) == GPIOD_LINE_DIRECTION_OUTPUT ? CGPIO_DIRECTION_OUTPUT
                                                                              : CGPIO_DIRECTION_INPUT;
}

int cgpio_chip_line_info(struct cgpio_chip *chip, uint32_t offset, struct cgpio_line_info *info) {
    errno = 0;
    struct gpiod_line_info *read = gpiod_chip_get_line_info((struct gpiod_chip *)chip, offset);
    if (read == NULL) return failure();
    copy_name(info->name, gpiod_line_info_get_name(read));
    copy_name(info->consumer, gpiod_line_info_get_consumer(read));
    info->offset = offset;
    info->is_used = gpiod_line_info_is_used(read);
    info->is_active_low = gpiod_line_info_is_active_low(read);
    info->direction = direction_of(read);
    info->bias = bias_of(read);
    gpiod_line_info_free(read);
    return 0;
}

/* MARK: lines */

static void apply_direction(struct gpiod_line_settings *to, const struct cgpio_settings *settings) {
    switch (settings->direction) {
    case CGPIO_DIRECTION_INPUT: gpiod_line_settings_set_direction(to, GPIOD_LINE_DIRECTION_INPUT); break;
    case CGPIO_DIRECTION_OUTPUT:
        gpiod_line_settings_set_direction(to, GPIOD_LINE_DIRECTION_OUTPUT);
        gpiod_line_settings_set_output_value(to, settings->value ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE);
        if (settings->is_open_drain) gpiod_line_settings_set_drive(to, GPIOD_LINE_DRIVE_OPEN_DRAIN);
        break;
    case CGPIO_DIRECTION_AS_IS: gpiod_line_settings_set_direction(to, GPIOD_LINE_DIRECTION_AS_IS); break;
    }
}

static void apply_bias(struct gpiod_line_settings *to, enum cgpio_bias bias) {
    switch (bias) {
    case CGPIO_BIAS_DISABLED: gpiod_line_settings_set_bias(to, GPIOD_LINE_BIAS_DISABLED); break;
    case CGPIO_BIAS_PULL_UP: gpiod_line_settings_set_bias(to, GPIOD_LINE_BIAS_PULL_UP); break;
    case CGPIO_BIAS_PULL_DOWN: gpiod_line_settings_set_bias(to, GPIOD_LINE_BIAS_PULL_DOWN); break;
    case CGPIO_BIAS_AS_IS: break;
    }
}

/* libgpiod's line configuration for one line; the caller frees it. NULL, with errno, when that fails. */
static struct gpiod_line_config *line_config(uint32_t offset, const struct cgpio_settings *settings) {
    struct gpiod_line_config *config = gpiod_line_config_new();
    struct gpiod_line_settings *one = gpiod_line_settings_new();
    int result = -1;
    if (config != NULL && one != NULL) {
        apply_direction(one, settings);
        apply_bias(one, settings->bias);
        gpiod_line_settings_set_active_low(one, settings->is_active_low);
        if (settings->with_edges) {
            gpiod_line_settings_set_edge_detection(one, GPIOD_LINE_EDGE_BOTH);
            gpiod_line_settings_set_debounce_period_us(one, settings->debounce_us);
        }
        unsigned int offsets[1] = {offset};
        result = gpiod_line_config_add_line_settings(config, offsets, 1, one);
    }
    gpiod_line_settings_free(one);
    if (result == 0) return config;
    gpiod_line_config_free(config);
    return NULL;
}

static struct gpiod_line_request *request_line(struct gpiod_chip *chip, const char *consumer,
                                               struct gpiod_line_config *config) {
    struct gpiod_request_config *request = gpiod_request_config_new();
    if (request == NULL) return NULL;
    gpiod_request_config_set_consumer(request, consumer);
    struct gpiod_line_request *taken = gpiod_chip_request_lines(chip, request, config);
    int error = errno;
    gpiod_request_config_free(request);
    errno = error;
    return taken;
}

int cgpio_line_request(const char *chip_path, uint32_t offset, const char *consumer,
                       const struct cgpio_settings *settings, struct cgpio_line **line) {
    *line = NULL;
    struct cgpio_line *taken = calloc(1, sizeof *taken);
    if (taken == NULL) return -ENOMEM;
    errno = 0;
    taken->offset = offset;
    taken->chip = gpiod_chip_open(chip_path);
    taken->events = gpiod_edge_event_buffer_new(1);
    struct gpiod_line_config *config = NULL;
    if (taken->chip != NULL && taken->events != NULL) config = line_config(offset, settings);
    if (config != NULL) taken->request = request_line(taken->chip, consumer, config);
    if (taken->request == NULL) {
        int result = failure();
        gpiod_line_config_free(config);
        cgpio_line_release(taken);
        return result;
    }
    gpiod_line_config_free(config);
    *line = taken;
    return 0;
}

void cgpio_line_release(struct cgpio_line *line) {
    if (line == NULL) return;
    if (line->request != NULL) gpiod_line_request_release(line->request);
    if (line->events != NULL) gpiod_edge_event_buffer_free(line->events);
    if (line->chip != NULL) gpiod_chip_close(line->chip);
    free(line);
}

int cgpio_line_reconfigure(struct cgpio_line *line, const struct cgpio_settings *settings) {
    errno = 0;
    struct gpiod_line_config *config = line_config(line->offset, settings);
    if (config == NULL) return failure();
    int result = gpiod_line_request_reconfigure_lines(line->request, config) == 0 ? 0 : failure();
    gpiod_line_config_free(config);
    return result;
}

int cgpio_line_direction(struct cgpio_line *line) {
    struct cgpio_line_info info;
    int result = cgpio_chip_line_info((struct cgpio_chip *)line->chip, line->offset, &info);
    return result == 0 ? (int)info.direction : result;
}

int cgpio_line_get(struct cgpio_line *line) {
    errno = 0;
    switch (gpiod_line_request_get_value(line->request, line->offset)) {
    case GPIOD_LINE_VALUE_ACTIVE: return 1;
    case GPIOD_LINE_VALUE_INACTIVE: return 0;
    default: return failure();
    }
}

int cgpio_line_set(struct cgpio_line *line, int value) {
    errno = 0;
    enum gpiod_line_value to = value ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE;
    return gpiod_line_request_set_value(line->request, line->offset, to) == 0 ? 0 : failure();
}

int cgpio_line_fd(struct cgpio_line *line) { return gpiod_line_request_get_fd(line->request); }

int cgpio_line_read_event(struct cgpio_line *line, struct cgpio_event *event) {
    errno = 0;
    int waiting = gpiod_line_request_wait_edge_events(line->request, 0);
    if (waiting <= 0) return waiting == 0 ? 0 : failure();
    if (gpiod_line_request_read_edge_events(line->request, line->events, 1) != 1) return failure();
    struct gpiod_edge_event *read = gpiod_edge_event_buffer_get_event(line->events, 0);
    if (read == NULL) return failure();
    event->timestamp_ns = gpiod_edge_event_get_timestamp_ns(read);
    event->sequence = (uint32_t)gpiod_edge_event_get_line_seqno(read);
    event->is_rising = gpiod_edge_event_get_event_type(read) == GPIOD_EDGE_EVENT_RISING_EDGE;
    return 1;
}

#endif
