/*
 * ctoml - toml++ behind C: a TOML text is walked, and every key and value is told with its line and column.
 *
 * Lines and columns count from 1; columns count code points. No exception leaves this interface.
 */
#ifndef CTOML_H
#define CTOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A position in the text. */
struct ctoml_position {
    uint32_t line;
    uint32_t column;
};

/* A key with its position, or no key (text NULL) for what stands in an array. Not NUL-terminated. */
struct ctoml_key {
    const char *text;
    size_t count;
    struct ctoml_position position;
};

/*
 * What the walk calls. Every table and array that begins also ends; the root table is not told. Keys of a table come
 * in the order in which they stand in the text.
 */
struct ctoml_visitor {
    void (*begin_table)(void *context, struct ctoml_key key, struct ctoml_position at);
    void (*end_table)(void *context);
    void (*begin_array)(void *context, struct ctoml_key key, struct ctoml_position at);
    void (*end_array)(void *context);
    void (*string)(void *context, struct ctoml_key key, struct ctoml_position at, const char *text, size_t count);
    void (*integer)(void *context, struct ctoml_key key, struct ctoml_position at, int64_t value);
    void (*floating)(void *context, struct ctoml_key key, struct ctoml_position at, double value);
    void (*boolean)(void *context, struct ctoml_key key, struct ctoml_position at, bool value);
    void (*date)(void *context, struct ctoml_key key, struct ctoml_position at); /* any date or time */
};

/* Why a text is no TOML. */
struct ctoml_error {
    struct ctoml_position position;
    char message[256];
};

/* Parses a whole text and walks it. false: it is no TOML; error says where and why, and nothing was visited. */
bool ctoml_walk(const char *text, size_t count, const struct ctoml_visitor *visitor, void *context,
                struct ctoml_error *error);

#ifdef __cplusplus
}
#endif

#endif
