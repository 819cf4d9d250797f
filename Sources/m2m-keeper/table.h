/*
 * table - which outputs there are: reads the file that the agent has written.
 *
 * The file is plain text, made whole or not at all: its last line counts the outputs and carries a checksum (FNV-1a,
 * 64 bits, 16 lower-case hexadecimal digits) of all bytes before that line. Anything unexpected makes it damaged, and
 * then nothing of it is used.
 *
 *     m2m-keeper table 1
 *     heartbeat 2000
 *     output heater
 *     chip pinctrl-bcm2711
 *     offset 5
 *     line GPIO5
 *     active low
 *     bias as-is
 *     safe 0
 *     agent-lost 0
 *     end 1 a1b2c3d4e5f60718
 */
#ifndef M2M_KEEPER_TABLE_H
#define M2M_KEEPER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cgpio.h"
#include "keeper_protocol.h"

#define TABLE_FILE_LIMIT 65536
#define TABLE_LINE_LIMIT 127 /* bytes, without the newline */

struct table_output {
    char name[KEEPER_NAME_SIZE];
    char chip[CGPIO_NAME_SIZE];      /* the chip's label */
    char line[TABLE_LINE_LIMIT + 1]; /* what people call the line; may be empty */
    uint32_t offset;
    uint32_t agent_lost_ms; /* how long it is kept without its agent before it is made safe */
    enum cgpio_bias bias;
    bool is_active_low;
    int safe; /* 0 or 1, logical */
};

struct table {
    uint64_t checksum;
    uint32_t heartbeat_ms;
    uint32_t count;
    struct table_output outputs[KEEPER_OUTPUT_LIMIT];
};

/* Reads a table from `size` bytes. False when it is damaged; `line` and `problem` say where and what. */
bool table_parse(const char *text, size_t size, struct table *table, unsigned *line, char problem[KEEPER_TEXT_SIZE]);

/*
 * Reads a table from a file, and says whose file it is. False, with words that begin with the file's name, when there
 * is none or it is damaged. `table` is of use only after true.
 */
bool table_read(const char *path, struct table *table, uid_t *owner, char problem[KEEPER_TEXT_SIZE]);

/* Whether two outputs are the same line, held in the same way under the same name: all but `agent_lost_ms`. */
bool table_output_is_same_line(const struct table_output *one, const struct table_output *other);

/* The line for people: "GPIO5 (pinctrl-bcm2711 offset 5)". */
void table_output_line(const struct table_output *output, char text[KEEPER_TEXT_SIZE]);

#endif
