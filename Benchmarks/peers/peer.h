/* peer - what the peers of `make bench` share: clocks, numbers of the command line, and an end with words. */
#ifndef PEER_H
#define PEER_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Says why, and ends. */
__attribute__((noreturn, format(printf, 1, 2))) static inline void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

/* The words on standard error, and the end of a program that was called wrongly. */
__attribute__((noreturn)) static inline void usage(const char *words) {
    fputs(words, stderr);
    exit(2);
}

/* CLOCK_MONOTONIC: the time. CLOCK_PROCESS_CPUTIME_ID: what this process has worked, in the kernel too. */
static inline double seconds(clockid_t clock) {
    struct timespec now;
    if (clock_gettime(clock, &now) != 0) die("there is no clock %d", (int)clock);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A number of the command line. */
static inline long number(const char *text, long least, long most) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < least || value > most)
        die("'%s' is no number from %ld to %ld", text, least, most);
    return value;
}

#endif
