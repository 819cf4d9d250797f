/* text - words for people: into a buffer, or onto standard error without waiting for whoever reads it. */
#ifndef M2M_KEEPER_TEXT_H
#define M2M_KEEPER_TEXT_H

#include <stddef.h>

/* snprintf, for words that may be cut. */
void text_put(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same behind what is there already. */
void text_add(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* One line on standard error, dropped where it could not be written at once: outputs matter more than a log. */
void text_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "on" for 1, "off" for 0. */
const char *text_of_value(int value);

#endif
