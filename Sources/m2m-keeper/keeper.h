/*
 * keeper - the core: outputs, deadlines, heartbeats, and what becomes of an output when its agent does not live.
 *
 * Nothing here waits, reads a clock or touches a socket: the time (CLOCK_MONOTONIC, ns) and messages are passed in, and
 * the only calls that go outside are those of cgpio. `who` is the number of a connection, chosen by the caller.
 *
 * The order in which a caller asks after each wake-up matters:
 *   1. keeper_tick      what is due comes before any order that waited
 *   2. keeper_order     for every order that waits; keeper_lost for every connection that has ended
 *   3. keeper_listen    only now: an agent whose heartbeat waited while the keeper itself was stopped is not silent
 *   4. keeper_take_news until there is none
 * and then to wait until keeper_next.
 */
#ifndef M2M_KEEPER_KEEPER_H
#define M2M_KEEPER_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgpio.h"
#include "keeper_protocol.h"
#include "table.h"

#define KEEPER_NOBODY (-1)
#define KEEPER_NEVER INT64_MAX

#define KEEPER_MS INT64_C(1000000)
#define KEEPER_TAKE_RETRY (20 * KEEPER_MS)  /* how often a line that can't be had is tried again, … */
#define KEEPER_TAKE_LIMIT (400 * KEEPER_MS) /* … and for how long in all */
#define KEEPER_SAFE_RETRY (100 * KEEPER_MS) /* how often a line that could not be made safe is tried again */

struct keeper_output {
    struct table_output is;  /* as in the table */
    struct cgpio_line *line; /* NULL: not held */
    int error;               /* why it is not held, or why it could not be driven: -errno */
    int value;               /* the last that was driven */
    enum keeper_cause cause;
    int64_t since;
    int64_t deadline;              /* by order; 0: none */
    int64_t hold;                  /* when the loss of its agent makes it safe; 0: its agent lives, or it is safe */
    enum keeper_cause hold_cause;  /* KEEPER_CAUSE_AGENT_LOST or …_SILENT */
    int64_t retry;                 /* when to try again to make it safe; 0: nothing has failed */
    enum keeper_cause retry_cause; /* its cause once that is done */
    uint32_t interventions;
    bool is_adopted;
    bool has_news;
    char problem[KEEPER_TEXT_SIZE]; /* words for `error` */
};

struct keeper {
    uint64_t checksum;
    int64_t heartbeat;
    uint32_t count;
    struct keeper_output outputs[KEEPER_OUTPUT_LIMIT];
    int adopter;        /* who has adopted outputs, or KEEPER_NOBODY */
    int64_t life;       /* when the adopter was last heard */
    bool is_silent;     /* the adopter's heartbeat is late, and that has been acted upon */
    int64_t take_next;  /* when lines that are missing are tried again; 0: the taking is over */
    int64_t take_until; /* when that ends */
};

/* Takes the lines of a table, each at its safe value. Those that can't be had are tried again by keeper_tick. */
void keeper_start(struct keeper *keeper, const struct table *table, int64_t now);

/* Whether the taking of lines is over. */
bool keeper_is_settled(const struct keeper *keeper);

/*
 * Exchanges the table. Outputs that are as before are not touched, nor those of which only `agent_lost_ms` is another;
 * others are made safe and given back. `problem` names those that could not be made safe, which nothing tells later; it
 * is empty when there are none.
 */
void keeper_reload(struct keeper *keeper, const struct table *table, int64_t now, char problem[KEEPER_TEXT_SIZE]);

/* Makes every output safe and gives its line back; what fails is news. Returns how many were away from safe. */
uint32_t keeper_stop(struct keeper *keeper, int64_t now);

/* Does what is due: deadlines, holds, further tries. */
void keeper_tick(struct keeper *keeper, int64_t now);

/* Looks whether the adopter's heartbeat is late. */
void keeper_listen(struct keeper *keeper, int64_t now);

/* A connection has ended. */
void keeper_lost(struct keeper *keeper, int who, int64_t now);

/* When keeper_tick or keeper_listen has something to do next; KEEPER_NEVER when nothing is pending. */
int64_t keeper_next(const struct keeper *keeper);

/* Whether the output is held and not known to be at its safe value. */
bool keeper_is_away(const struct keeper_output *output);

/*
 * An output that the keeper itself has changed, taken or failed to drive since this was last asked; false when there
 * is none. `to` is who has adopted it, or KEEPER_NOBODY.
 */
bool keeper_take_news(struct keeper *keeper, struct keeper_report *report, int *to);

/* Whether a message is an order that may take an output away from safe, or leave it there. */
bool keeper_leaves_safe(const struct keeper *keeper, const struct keeper_order *order, size_t size);

/*
 * Answers a message that arrived, whatever it is made of. True when it asks for the table to be read again: the
 * report is then to be filled by the caller, who has called keeper_reload or not.
 */
bool keeper_order(struct keeper *keeper, int who, const void *message, size_t size, int64_t now,
                  struct keeper_report *report);

/* For keeper_order, in orders.c. */
void keeper_describe(const struct keeper_output *output, struct keeper_report *report);
int keeper_drive(struct keeper_output *output, int value, enum keeper_cause cause, int64_t now);
int keeper_take_line(struct keeper_output *output, int64_t now);

#endif
