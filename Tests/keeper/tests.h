/* tests - what the tests of m2m-keeper share: a list of promises, and a keeper whose time is made by hand. */
#ifndef KEEPER_TESTS_H
#define KEEPER_TESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "fake_cgpio.h"
#include "keeper.h"
#include "table.h"

/* MARK: promises */

/* Runs one test and prints whether its promise was kept. */
void promise(const char *words, void (*test)(void));

/* What must be true; else the promise of the test that runs is broken, and it is said where. */
#define EXPECT(condition) expect((condition), #condition, __FILE__, __LINE__)
void expect(bool condition, const char *words, const char *file, int line);

/* Adds words to the next failure, such as the seed of something random. */
void remark(const char *format, ...) __attribute__((format(printf, 1, 2)));

void table_tests(void);
void line_tests(void);
void policy_tests(void);
void order_tests(void);
void history_tests(void);
void program_tests(void);
void socket_tests(void);
void memory_tests(void);
void word_tests(void);

/* MARK: a keeper in a world of its own. One chip, "header", with 28 lines GPIO0 to GPIO27. */

extern struct keeper keeper;
extern int64_t now; /* ns */

/* An output of line `offset` of the header. */
struct table_output make_output(const char *name, uint32_t offset, int safe, uint32_t agent_lost_ms);

/* A table of these outputs; heartbeat 2 s. */
struct table make_table(const struct table_output outputs[], uint32_t count);

/* The whole file of a table for a body: with its last line. Returns its size. */
size_t finish_table(char file[8192], const char *body, unsigned count);

/* Begins anew: a header nobody holds, and a keeper that has started with these outputs at 1 s. */
void world(const struct table_output outputs[], uint32_t count);

/* Lets milliseconds pass; the keeper is awake whenever it asked to be. */
void pass(int64_t milliseconds);

/* Gives an order, and returns the answer. Times are milliseconds from now; 0: none. */
struct keeper_report order(int who, enum keeper_type type, const char *name);
struct keeper_report set(int who, const char *name, int value, int64_t deadline_ms);

/* Exchanges the table; what is said of outputs that could not be made safe before they were given back. */
const char *reload(const struct table *table);

/* How an output is, asked by a stranger. */
struct keeper_report look(const char *name);

/* The level of line `offset` of the header. */
int level(uint32_t offset);

/* How many news wait for `who`; the last of them is in `news`. */
int news_for(int who, struct keeper_report *news);

/* MARK: random numbers, the same for the same seed */

struct dice {
    uint64_t state;
};
uint32_t roll(struct dice *dice, uint32_t sides); /* 0 to sides - 1 */

#endif
