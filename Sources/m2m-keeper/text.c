/* text - words for people: into a buffer, or onto standard error without waiting for whoever reads it. */
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

void text_begin(void) {
    struct stat status;
    if (fstat(STDERR_FILENO, &status) != 0 || (!S_ISCHR(status.st_mode) && !S_ISFIFO(status.st_mode))) return;
    int own = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own < 0) return;
    dup2(own, STDERR_FILENO);
    close(own);
}

void text_log(const char *format, ...) {
    static bool is_torn; /* of the last line that was written a part is missing */
    char line[512];
    text_put(line, sizeof line, "%sm2m-keeper: ", is_torn ? "\n" : "");
    size_t length = strlen(line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + length, sizeof line - length - 1, format, arguments);
    va_end(arguments);
    strcat(line, "\n"); /* the room for it was left out above */

    length = strlen(line);
    ssize_t written = send(STDERR_FILENO, line, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (written < 0 && errno == ENOTSOCK) {
        struct pollfd standard_error = {.fd = STDERR_FILENO, .events = POLLOUT};
        if (poll(&standard_error, 1, 0) != 1 || (standard_error.revents & POLLOUT) == 0) return;
        written = write(STDERR_FILENO, line, length);
    }
    if (written > 0) is_torn = (size_t)written < length;
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
