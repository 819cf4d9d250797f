/*
 * cgpio - one small C interface to GPIO lines over libgpiod 1.x and 2.x.
 *
 * Which libgpiod is used is decided when this is compiled (cgpio_v1.c or cgpio_v2.c); no libgpiod type appears here,
 * so a program built on this header only needs these files compiled again for the other version.
 *
 * Values are logical: 1 is active, 0 is inactive, whatever the line's polarity.
 * Functions return 0 (or the value asked for) when all is well, and -errno otherwise.
 * Nothing here allocates memory after a line has been requested.
 */
#ifndef CGPIO_H
#define CGPIO_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The kernel's bound for names of chips, lines and consumers, with the final NUL (GPIO_MAX_NAME_SIZE). */
#define CGPIO_NAME_SIZE 32

enum cgpio_direction {
    CGPIO_DIRECTION_AS_IS = 0, /* in a request only: leave the line as it was found */
    CGPIO_DIRECTION_INPUT = 1,
    CGPIO_DIRECTION_OUTPUT = 2,
};

enum cgpio_bias {
    CGPIO_BIAS_AS_IS = 0, /* in a request: leave it; in what is read: unknown */
    CGPIO_BIAS_DISABLED = 1,
    CGPIO_BIAS_PULL_UP = 2,
    CGPIO_BIAS_PULL_DOWN = 3,
};

struct cgpio_chip_info {
    char name[CGPIO_NAME_SIZE];
    char label[CGPIO_NAME_SIZE];
    uint32_t line_count;
};

struct cgpio_line_info {
    char name[CGPIO_NAME_SIZE];     /* empty when the line has none */
    char consumer[CGPIO_NAME_SIZE]; /* who holds it; empty when nobody said */
    uint32_t offset;
    bool is_used;
    bool is_active_low;
    enum cgpio_direction direction;
    enum cgpio_bias bias;
};

/* What a line is requested with. All zero: as is, active-high, no edges. */
struct cgpio_settings {
    enum cgpio_direction direction;
    enum cgpio_bias bias;
    bool is_active_low;
    bool is_open_drain;   /* outputs: drive the inactive side only */
    bool with_edges;      /* inputs: report rising and falling edges */
    uint32_t debounce_us; /* inputs: the kernel's debounce where there is one, see cgpio_has_kernel_debounce */
    int value;            /* outputs: the first value, part of the request itself */
};

struct cgpio_event {
    uint64_t timestamp_ns; /* CLOCK_MONOTONIC, taken by the kernel */
    uint32_t sequence;     /* counts up by one for each edge of the line; 0 where the kernel does not count */
    bool is_rising;        /* inactive to active */
};

struct cgpio_chip;
struct cgpio_line;

/* The version of the libgpiod that is linked, such as "1.6.3". */
const char *cgpio_library_version(void);

/* Whether the kernel debounces (uAPI v2, libgpiod 2.x). Where not, debounce_us is ignored. */
bool cgpio_has_kernel_debounce(void);

/* Opens a chip by its path, such as "/dev/gpiochip0". Close it with cgpio_chip_close. */
int cgpio_chip_open(const char *path, struct cgpio_chip **chip);
void cgpio_chip_close(struct cgpio_chip *chip);
int cgpio_chip_info(struct cgpio_chip *chip, struct cgpio_chip_info *info);
int cgpio_chip_line_info(struct cgpio_chip *chip, uint32_t offset, struct cgpio_line_info *info);

/*
 * Takes the line for this process under the name of a consumer. -EBUSY: somebody holds it; its line info says who.
 * Release it with cgpio_line_release; what the line does then is up to the kernel.
 */
int cgpio_line_request(const char *chip_path, uint32_t offset, const char *consumer,
                       const struct cgpio_settings *settings, struct cgpio_line **line);
void cgpio_line_release(struct cgpio_line *line);

/* Changes direction, bias, polarity and value on the same handle: the line is never let go in between. */
int cgpio_line_reconfigure(struct cgpio_line *line, const struct cgpio_settings *settings);

/* CGPIO_DIRECTION_INPUT or CGPIO_DIRECTION_OUTPUT, as it is now. */
int cgpio_line_direction(struct cgpio_line *line);

/* 1 for active, 0 for inactive. */
int cgpio_line_get(struct cgpio_line *line);
int cgpio_line_set(struct cgpio_line *line, int value);

/* A descriptor that becomes readable when an edge waits (with_edges only). It belongs to the line. */
int cgpio_line_fd(struct cgpio_line *line);

/* Takes the oldest waiting edge without blocking: 1 when there was one, 0 when none waits. */
int cgpio_line_read_event(struct cgpio_line *line, struct cgpio_event *event);

#ifdef __cplusplus
}
#endif

#endif
