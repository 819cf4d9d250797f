/* table - which outputs there are: reads the file that the agent has written. */
#include "table.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One pass over the bytes of a table. */
struct reader {
    const char *text; /* what has not been read yet */
    size_t left;
    unsigned line;     /* the number of the line that was read last, from 1 */
    uint64_t checksum; /* of all lines before that one */
    uint64_t next_checksum;
    char key[TABLE_LINE_LIMIT + 1];
    char value[TABLE_LINE_LIMIT + 1];
    char *problem;
};

#define FAIL(reader, ...) (text_put((reader)->problem, KEEPER_TEXT_SIZE, __VA_ARGS__), false)

static uint64_t fnv1a(uint64_t hash, const char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

/* Takes the next line apart: the key before its first space, the value after it. */
static bool next_line(struct reader *reader) {
    reader->line++;
    reader->checksum = reader->next_checksum;
    const char *newline = memchr(reader->text, '\n', reader->left);
    if (newline == NULL) return FAIL(reader, reader->left == 0 ? "it ends too early" : "this line is not complete");
    size_t length = (size_t)(newline - reader->text);
    if (length > TABLE_LINE_LIMIT) return FAIL(reader, "this line is longer than %d bytes", TABLE_LINE_LIMIT);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)reader->text[i];
        if (byte < 0x20 || byte > 0x7e) return FAIL(reader, "byte %zu is not plain ASCII text", i + 1);
    }
    const char *space = memchr(reader->text, ' ', length);
    if (space == NULL) return FAIL(reader, "there is no space between key and value");
    size_t key = (size_t)(space - reader->text);
    memcpy(reader->key, reader->text, key);
    reader->key[key] = '\0';
    memcpy(reader->value, space + 1, length - key - 1);
    reader->value[length - key - 1] = '\0';
    reader->next_checksum = fnv1a(reader->checksum, reader->text, length + 1);
    reader->text = newline + 1;
    reader->left -= length + 1;
    return true;
}

/* Digits only, without leading zeros, within bounds. */
static bool read_number(struct reader *reader, uint32_t least, uint32_t most, uint32_t *number) {
    const char *digits = reader->value;
    uint64_t sum = 0;
    size_t count = strspn(digits, "0123456789");
    bool is_plain = count > 0 && count <= 10 && digits[count] == '\0' && (digits[0] != '0' || count == 1);
    for (size_t i = 0; is_plain && i < count; i++)
        sum = sum * 10 + (uint64_t)(digits[i] - '0');
    if (!is_plain || sum < least || sum > most) {
        return FAIL(reader, "%s must be a number from %u to %u", reader->key, least, most);
    }
    *number = (uint32_t)sum;
    return true;
}

static bool read_text(struct reader *reader, char *to, size_t size) {
    size_t length = strlen(reader->value);
    if (length == 0 || length >= size) return FAIL(reader, "%s must have 1 to %zu characters", reader->key, size - 1);
    memcpy(to, reader->value, length + 1);
    return true;
}

/* The place of the value in a list of words that ends with NULL. */
static bool read_word(struct reader *reader, const char *const words[], int *place) {
    for (*place = 0; words[*place] != NULL; (*place)++) {
        if (strcmp(reader->value, words[*place]) == 0) return true;
    }
    return FAIL(reader, "%s can't be '%s'", reader->key, reader->value);
}

enum { CHIP, OFFSET, LINE, ACTIVE, BIAS, SAFE, AGENT_LOST, KEY_COUNT };
static const char *const output_keys[] = {"chip", "offset", "line", "active", "bias", "safe", "agent-lost"};

static bool read_output_key(struct reader *reader, int key, struct table_output *output) {
    static const char *const levels[] = {"high", "low", NULL};
    static const char *const biases[] = {"as-is", "disabled", "pull-up", "pull-down", NULL}; /* as enum cgpio_bias */
    int place = 0;
    uint32_t number = 0;
    switch (key) {
    case CHIP: return read_text(reader, output->chip, sizeof output->chip);
    case OFFSET: return read_number(reader, 0, UINT32_MAX, &output->offset);
    case LINE: memcpy(output->line, reader->value, strlen(reader->value) + 1); return true;
    case ACTIVE:
        if (!read_word(reader, levels, &place)) return false;
        output->is_active_low = place == 1;
        return true;
    case BIAS:
        if (!read_word(reader, biases, &place)) return false;
        output->bias = (enum cgpio_bias)place;
        return true;
    case SAFE:
        if (!read_number(reader, 0, 1, &number)) return false;
        output->safe = (int)number;
        return true;
    default: return read_number(reader, 0, 86400000, &output->agent_lost_ms);
    }
}

/* Reads what follows "output NAME": every key once, in any order. */
static bool read_output(struct reader *reader, struct table_output *output) {
    if (!read_text(reader, output->name, sizeof output->name)) return false;
    unsigned seen = 0;
    for (int i = 0; i < KEY_COUNT; i++) {
        if (!next_line(reader)) return false;
        int key = 0;
        while (key < KEY_COUNT && strcmp(reader->key, output_keys[key]) != 0)
            key++;
        if (key == KEY_COUNT) return FAIL(reader, "'%s' was not expected in output '%s'", reader->key, output->name);
        if ((seen & 1u << key) != 0) return FAIL(reader, "%s is there twice in '%s'", reader->key, output->name);
        seen |= 1u << key;
        if (!read_output_key(reader, key, output)) return false;
    }
    return true;
}

/* Whether an output is there already, by name or by line. */
static bool is_new(struct reader *reader, const struct table *table, const struct table_output *output) {
    for (uint32_t i = 0; i < table->count; i++) {
        const struct table_output *other = &table->outputs[i];
        if (strcmp(other->name, output->name) == 0) return FAIL(reader, "two outputs are named '%s'", output->name);
        if (other->offset == output->offset && strcmp(other->chip, output->chip) == 0) {
            return FAIL(reader, "'%s' and '%s' have the same line", other->name, output->name);
        }
    }
    return true;
}

/* Checks "end COUNT CHECKSUM", and that nothing follows. */
static bool read_end(struct reader *reader, struct table *table) {
    char expected[64];
    text_put(expected, sizeof expected, "%u %016llx", table->count, (unsigned long long)reader->checksum);
    if (strcmp(reader->value, expected) != 0)
        return FAIL(reader, "count or checksum are not those of what stands above");
    if (reader->left != 0) return FAIL(reader, "something follows after the end");
    table->checksum = reader->checksum;
    return true;
}

static bool read_all(struct reader *reader, struct table *table) {
    if (!next_line(reader)) return false;
    static const char first[] = "table ";
    if (strcmp(reader->key, "m2m-keeper") != 0 || strncmp(reader->value, first, strlen(first)) != 0) {
        return FAIL(reader, "it does not begin with 'm2m-keeper table 1'");
    }
    if (strcmp(reader->value, "table 1") != 0) {
        return FAIL(reader, "this is '%s'; this keeper reads version 1 only", reader->value);
    }
    if (!next_line(reader)) return false;
    if (strcmp(reader->key, "heartbeat") != 0) return FAIL(reader, "'%s' stands where heartbeat should", reader->key);
    if (!read_number(reader, 100, 60000, &table->heartbeat_ms)) return false;
    for (;;) {
        if (!next_line(reader)) return false;
        if (strcmp(reader->key, "end") == 0) return read_end(reader, table);
        if (strcmp(reader->key, "output") != 0) return FAIL(reader, "'%s' was not expected", reader->key);
        if (table->count == KEEPER_OUTPUT_LIMIT) return FAIL(reader, "more than %d outputs", KEEPER_OUTPUT_LIMIT);
        struct table_output *output = &table->outputs[table->count];
        if (!read_output(reader, output) || !is_new(reader, table, output)) return false;
        table->count++;
    }
}

bool table_parse(const char *text, size_t size, struct table *table, unsigned *line, char problem[KEEPER_TEXT_SIZE]) {
    struct reader reader = {
        .text = text, .left = size, .next_checksum = UINT64_C(14695981039346656037), .problem = problem};
    memset(table, 0, sizeof *table);
    bool is_good = read_all(&reader, table);
    *line = reader.line;
    return is_good;
}

/* Reads the whole file into `text`: its size, or -errno. */
static ssize_t read_file(const char *path, char *text, size_t size, uid_t *owner) {
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* never wait for the writer of a pipe */
    if (file < 0) return -errno;
    struct stat status;
    ssize_t result = fstat(file, &status) != 0 ? -errno : !S_ISREG(status.st_mode) ? -EINVAL : 0;
    size_t length = 0;
    while (result >= 0 && length < size) {
        ssize_t more = read(file, text + length, size - length);
        if (more == 0) break;
        if (more > 0) {
            length += (size_t)more;
        } else if (errno != EINTR) {
            result = -errno;
        }
    }
    close(file);
    if (result < 0) return result;
    *owner = status.st_uid;
    return (ssize_t)length;
}

bool table_read(const char *path, struct table *table, uid_t *owner, char problem[KEEPER_TEXT_SIZE]) {
    char text[TABLE_FILE_LIMIT + 1]; /* one more, to notice a file that is too long */
    ssize_t size = read_file(path, text, sizeof text, owner);
    if (size == -ENOENT) {
        text_put(problem, KEEPER_TEXT_SIZE, "%s does not exist", path);
    } else if (size < 0) {
        text_put(problem, KEEPER_TEXT_SIZE, "%s can't be read: %s", path, strerror((int)-size));
    } else if (size > TABLE_FILE_LIMIT) {
        text_put(problem, KEEPER_TEXT_SIZE, "%s is longer than %d bytes", path, TABLE_FILE_LIMIT);
    } else {
        char what[KEEPER_TEXT_SIZE];
        unsigned line = 0;
        if (table_parse(text, (size_t)size, table, &line, what)) return true;
        text_put(problem, KEEPER_TEXT_SIZE, "%s:%u: %s", path, line, what);
    }
    return false;
}

bool table_output_is_same_line(const struct table_output *one, const struct table_output *other) {
    return strcmp(one->name, other->name) == 0 && strcmp(one->chip, other->chip) == 0 &&
           strcmp(one->line, other->line) == 0 && one->offset == other->offset && one->bias == other->bias &&
           one->is_active_low == other->is_active_low && one->safe == other->safe;
}

void table_output_line(const struct table_output *output, char text[KEEPER_TEXT_SIZE]) {
    /* A long name is cut, so that there is room for words behind it. */
    text_put(text, KEEPER_TEXT_SIZE, output->line[0] != '\0' ? "%.40s (%s offset %u)" : "%.40s%s offset %u",
             output->line, output->chip, output->offset);
}
