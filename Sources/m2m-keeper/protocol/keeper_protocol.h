/*
 * keeper_protocol - what a program and m2m-keeper say to each other.
 *
 * Over a Unix socket of type SOCK_SEQPACKET, each message is one struct of fixed size, in the machine's own byte order.
 * An order is answered by one report with its type and sequence; news comes without having been asked for. Orders are
 * taken from root, from the keeper's own user and from the owner of its table; anybody else is closed at once.
 *
 * Values are logical: 1 is active ("on"), 0 is inactive. Times are CLOCK_MONOTONIC, in nanoseconds.
 */
#ifndef KEEPER_PROTOCOL_H
#define KEEPER_PROTOCOL_H

#include <stdint.h>

#define KEEPER_PROTOCOL_VERSION 1
#define KEEPER_SOCKET "/run/m2m-keeper/keeper.sock"
#define KEEPER_TABLE "/var/lib/m2m-keeper/outputs.table"

/* Names of outputs with the final NUL: those of components. */
#define KEEPER_NAME_SIZE 64
/* Words for people with the final NUL. */
#define KEEPER_TEXT_SIZE 160
/* How many outputs a table may have. */
#define KEEPER_OUTPUT_LIMIT 64

enum keeper_type {
    /*
     * Anybody: how many outputs there are, and the checksum of the table that is in force. is_held: whether another
     * connection has adopted outputs.
     */
    KEEPER_HELLO = 1,
    /* One output by its index: how it is. */
    KEEPER_LIST = 2,
    /* One output by its name: how it is. */
    KEEPER_READ = 3,
    /*
     * The sender answers for this output from now on: what it does after the loss of the sender before is forgotten,
     * its value and its deadline stay. Where its line can't be had, -errno and words. One connection at a time adopts:
     * -EBUSY while another lives that has adopted anything. A line that could not be taken so far is tried once more;
     * so is one that could not be driven because its chip had gone (-ENODEV), which is released first.
     */
    KEEPER_ADOPT = 4,
    /*
     * Drives an adopted output, and sets until when. Same value: only the deadline changes, the line is not touched.
     * -ETIME when `not_after_ns` is past, or the deadline of what would leave safe; -EPERM when it was not adopted by
     * this connection.
     */
    KEEPER_SET = 5,
    /*
     * The sender lives, as every order says. While one of its outputs is away from safe, no more time than the
     * heartbeat of the table may pass between two.
     */
    KEEPER_HEARTBEAT = 6,
    /*
     * Reads the table again. Outputs that stand in it as before, but for agent-lost, are not touched; others are made
     * safe and given back, new ones are taken at their safe value. The answer has no words, unless some were given back
     * that are not known to be safe: it names them. A table that is damaged changes nothing, and is answered with
     * -EINVAL and words. -EBUSY while another connection has adopted anything.
     */
    KEEPER_RELOAD = 7,
    /*
     * Lets an adopted output be what it is until another time; the line is not touched. -ETIME when its value is not
     * `value` (any more), or `not_after_ns` is past; -EPERM as with KEEPER_SET.
     */
    KEEPER_EXTEND = 8,
    /*
     * Never an order: the keeper itself has changed an output or taken its line at last, or the line failed. Sent to
     * who has adopted it.
     */
    KEEPER_NEWS = 100,
};

/* Why an output is as it is. */
enum keeper_cause {
    KEEPER_CAUSE_START = 0,      /* safe since the keeper took the line */
    KEEPER_CAUSE_ORDER = 1,      /* KEEPER_SET */
    KEEPER_CAUSE_DEADLINE = 2,   /* its deadline has passed: made safe */
    KEEPER_CAUSE_AGENT_LOST = 3, /* the connection of who had adopted it ended: made safe, at once or after the hold */
    KEEPER_CAUSE_AGENT_SILENT = 4, /* its heartbeat did not come in time: made safe, at once or after the hold */
    KEEPER_CAUSE_LINE_FAILED = 5,  /* the line could not be driven: what it is now is not known */
};

struct keeper_order {
    uint16_t version; /* KEEPER_PROTOCOL_VERSION */
    uint16_t type;    /* enum keeper_type */
    uint32_t sequence;
    char output[KEEPER_NAME_SIZE];
    uint32_t index;       /* KEEPER_LIST: 0 to count - 1 */
    int32_t value;        /* KEEPER_SET: what it is to be; KEEPER_EXTEND: what it has to be already */
    int64_t deadline_ns;  /* of both: safe again from then on; 0: no deadline */
    int64_t not_after_ns; /* of both: refused from then on; 0: whenever it comes */
};
_Static_assert(sizeof(struct keeper_order) == 96, "a message without gaps, the same on every machine");

struct keeper_report {
    uint16_t version;
    uint16_t type;
    uint32_t sequence; /* of the order; 0 in news */
    int32_t status;    /* 0, or -errno */
    uint32_t count;    /* how many outputs the table has */
    uint64_t table;    /* checksum of the table in force */
    char output[KEEPER_NAME_SIZE];
    int32_t is_held; /* whether the line is the keeper's; where not, text says why */
    int32_t value;
    int32_t safe;
    uint32_t cause;         /* enum keeper_cause */
    int64_t since_ns;       /* when it became what it is */
    int64_t deadline_ns;    /* when it will be safe by order or by the loss of its agent; 0: no deadline */
    uint32_t interventions; /* how often it was made safe because its agent was lost or silent */
    uint32_t reserved;
    char text[KEEPER_TEXT_SIZE]; /* an output with status 0: its line, for people; else what is wrong */
};
_Static_assert(sizeof(struct keeper_report) == 288, "a message without gaps, the same on every machine");

#endif
