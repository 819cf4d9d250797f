/* text - words for people: into a buffer, or onto standard error without waiting for whoever reads it. */
#include "text.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MINUTE (60 * INT64_C(1000000000))

void text_put(char *to, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(to, size, format, arguments);
    va_end(arguments);
}

void text_add(char *to, size_t size, const char *format, ...) {
    size_t length = strnlen(to, size);
    va_list arguments;
    va_start(arguments, format);
    if (length < size) vsnprintf(to + length, size - length, format, arguments);
    va_end(arguments);
}

void text_log(const char *format, ...) {
    char line[512] = "m2m-keeper: ";
    size_t length = strlen(line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + length, sizeof line - length - 1, format, arguments);
    va_end(arguments);
    strcat(line, "\n"); /* the room for it was left out above */

    struct pollfd standard_error = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&standard_error, 1, 0) != 1 || (standard_error.revents & POLLOUT) == 0) return;
    ssize_t written = write(STDERR_FILENO, line, strlen(line));
    (void)written; /* there is nobody left who could be told */
}

void text_log_seldom(struct text_seldom *seldom, int64_t now, const char *what) {
    if (now < seldom->next) {
        seldom->unsaid++;
        return;
    }
    if (seldom->unsaid == 0) {
        text_log("%s", what);
    } else {
        text_log("%s; %u times more since this was last said", what, seldom->unsaid);
    }
    *seldom = (struct text_seldom){.next = now + MINUTE};
}

const char *text_of_value(int value) { return value ? "on" : "off"; }
