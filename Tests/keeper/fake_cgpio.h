/*
 * fake_cgpio - GPIO chips that are not there, behind the same calls as the real ones (cgpio.h).
 *
 * Linked into a test, the chips are made by the functions below. Linked into a whole program (m2m-keeper-simulated),
 * they come from the environment:
 *
 *     M2M_FAKE_CHIPS=LABEL:LINES:PATTERN,…     the % of PATTERN is the number of a line; without one lines have no name
 *     M2M_FAKE_BUSY=LABEL:OFFSET:HOLDER:MS,…   somebody holds this line for so long after the start; -1: for ever
 *     M2M_FAKE_FAIL=FILE                       while this file exists, the lines in it can't be driven (EIO):
 *                                              LABEL:OFFSET, one a line, or * for all. They can be requested
 *     M2M_FAKE_LOG=FILE                        gets a line for each request, release, change of a level, and level
 *                                              that M2M_FAKE_FAIL forbids: "<CLOCK_MONOTONIC ns> LABEL OFFSET WHAT",
 *                                              WHAT is "request CONSUMER", "release", "level 0|1" or "failed 0|1"
 *
 * Levels are physical: 1 is high. A line that nobody holds is low, or as its last holder's pull-up has it when it is
 * an input; a line that is released falls to low.
 */
#ifndef FAKE_CGPIO_H
#define FAKE_CGPIO_H

#include <stdint.h>

#define FAKE_FOR_EVER (-1)

/* What has happened to a line. */
struct fake_counts {
    unsigned requests; /* that were granted */
    unsigned refusals; /* requests that were not */
    unsigned releases;
    unsigned drives;  /* values set, whether the level changed or not */
    unsigned changes; /* of the level */
};

/* Forgets everything: no chips. */
void fake_reset(void);

/* Another chip; returns its number, counting from 0. */
int fake_chip(const char *label, uint32_t lines, const char *pattern);

/* Another path, /dev/gpiochipNUMBER, to a chip. */
void fake_link(unsigned number, int chip);

/* Somebody holds a line, and the next `refusals` requests of it are refused. */
void fake_busy(const char *label, uint32_t offset, const char *holder, int refusals);

/* From now on values can't be set on this line: error is an errno; 0: they can again. */
void fake_fail(const char *label, uint32_t offset, int error);

/* From now on this line can't be looked at: error is an errno; 0: it can again. */
void fake_hide(const char *label, uint32_t offset, int error);

/* From now on no chip can be opened: error is an errno; 0: they can again. */
void fake_lock(int error);

int fake_level(const char *label, uint32_t offset);
struct fake_counts fake_counts(const char *label, uint32_t offset);
const char *fake_consumer(const char *label, uint32_t offset);

#endif
