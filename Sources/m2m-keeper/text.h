/* text - words for people: into a buffer, or onto standard error without waiting for whoever reads it. */
#ifndef M2M_KEEPER_TEXT_H
#define M2M_KEEPER_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* snprintf, for words that may be cut. */
void text_put(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same behind what is there already. */
void text_add(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * To be called before the first line, where nothing may wait for who reads it. A terminal that has room for a part of a
 * line says that it can be written to, and only O_NONBLOCK keeps from waiting for the rest: it is opened anew for that,
 * because who else has it shall not notice. Where it can't be opened, being another user's, a line may wait.
 */
void text_begin(void);

/* One line on standard error, dropped where it could not be written at once: outputs matter more than a log. */
void text_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What may happen very often: when it may be said again, and how often it has not been. All 0 before the first time. */
struct text_seldom {
    int64_t next;
    uint32_t unsaid;
};

/* One line on standard error, and no more for a minute. The next one says how many times were not said. */
void text_log_seldom(struct text_seldom *seldom, int64_t now, const char *what);

/* "on" for 1, "off" for 0. */
const char *text_of_value(int value);

#endif
