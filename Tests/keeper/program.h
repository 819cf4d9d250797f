/* program - m2m-keeper as a process of its own, for tests: a folder with a table and a socket, and what can be asked.
 */
#ifndef KEEPER_PROGRAM_H
#define KEEPER_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "keeper_protocol.h"

/* Nothing here takes so long where it works. */
#define PATIENCE_MS 30000

/* Asks again and again until it is so, and gives up after the patience. */
#define WAIT_UNTIL(condition)                                                                                          \
    for (int left_ = PATIENCE_MS; !(condition);)                                                                       \
    a_moment(&left_, #condition)
void a_moment(int *left, const char *awaited);

struct place {
    char folder[64], table[128], socket[128], log[128], words[128], failing[128];
};

/* An empty folder for one test, and its end. */
void make_place(struct place *place);
void remove_place(const struct place *place);

/* A table of outputs o0, o1, … on the lines with these numbers, safe when off; the agent of o1 may be gone for 1 h. */
void write_table(const struct place *place, unsigned count);
void write_file(const char *path, const char *text);

/* Starts the program with a command ("run", "status", …): its process. What it says goes to the file `words`. */
pid_t start(const char *program, const struct place *place, const char *command, const char *option);

/* Whether what is started has standard files at all, which it has at first. */
extern bool has_standard_files;

/* Where its standard error goes instead; -1, as at first: to `words`. */
extern int standard_error;

/* How the process ended: its exit status, or 128 + the signal. */
int wait_for_exit(pid_t process);

/* Whether the process has said this; and waiting until it has. */
bool has_said(const struct place *place, const char *words);
void wait_until_said(const struct place *place, const char *words);

/* A connection to the keeper that starts or runs there. */
int enter(const struct place *place);

/* Gives an order and waits for its answer. After EOF a report with type 0 comes back; news is skipped. */
struct keeper_report ask(int keeper, enum keeper_type type, const char *output, int value, int64_t deadline_ns);

/* Waits until something arrives here, or the other end has gone. */
void wait_for_input(int fd);

/* Waits for a report, whatever it is. After EOF one with type 0 comes back. */
struct keeper_report receive(int keeper);

/* Waits for news. */
struct keeper_report wait_for_news(int keeper);

/* Whether the keeper has closed this connection; waits for that or an answer. */
bool is_closed(int keeper);

/* Whatever this process says from now on goes to the file `words`. */
void speak_into_words(const struct place *place);

/* MARK: the keeper of a test, started from `program`, at `place`; its process is `server`. */

extern const char *program;
extern struct place place;
extern pid_t server;

/* A keeper with three outputs; stop_keeper ends it and sees that it ended well. */
void start_keeper(void);
void stop_keeper(void);

/* Runs the program to its end: its exit status. */
int run_program(const char *command, const char *option);

/* Whether the log of the lines has this, somewhere, and the time of its last entry in `at`. */
bool has_happened(const char *what, int64_t *at);

/* A number that the kernel tells of the server, by its name in /proc/PID/status; -1: it tells none. */
long kernel_says(const char *name);

/* How often the server has gone to sleep since it started. */
long sleeps(void);

/* A connection that has adopted an output and switched it on. */
int adopt_and_set(const char *output);

/* Waits until an output is off, and no longer than a test may take. */
void wait_until_off(const char *output);

#endif
