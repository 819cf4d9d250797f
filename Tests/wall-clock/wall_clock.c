/* wall_clock - a wall clock that says something else while a program runs: the program is started with this library in
 * LD_PRELOAD, and M2M_WALL_SHIFT names the file with how many seconds its clock is ahead. A word behind that may say
 * whether it is "synchronised" or "unsynchronised"; without one the kernel does. Other clocks are as they are. Nothing
 * is linked but the C library, and the kernel is asked directly. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static struct wall {
    time_t shift;
    enum { AS_IT_IS, SYNCHRONISED, UNSYNCHRONISED } state;
} wall(void) {
    /* While there is no file, or nothing in it, the clock is right. */
    const char *path = getenv("M2M_WALL_SHIFT");
    char text[64] = "", *word;
    int number = errno;
    int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        if (read(file, text, sizeof text - 1) < 0) text[0] = '\0';
        close(file);
    }
    errno = number;
    struct wall result = {.shift = strtol(text, &word, 10)};
    if (strncmp(word, " synchronised", 13) == 0) result.state = SYNCHRONISED;
    if (strncmp(word, " unsynchronised", 15) == 0) result.state = UNSYNCHRONISED;
    return result;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += wall().shift;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone; /* long obsolete */
    if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
    *now = (struct timeval){.tv_sec = exact.tv_sec, .tv_usec = exact.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *result) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return (time_t)-1;
    if (result != NULL) *result = now.tv_sec;
    return now.tv_sec;
}

int adjtimex(struct timex *state) {
    int result = (int)syscall(SYS_adjtimex, state);
    switch (result < 0 ? AS_IT_IS : wall().state) {
    case SYNCHRONISED: state->status &= ~STA_UNSYNC; return TIME_OK;
    case UNSYNCHRONISED: state->status |= STA_UNSYNC; return TIME_ERROR;
    case AS_IT_IS: break;
    }
    return result;
}
