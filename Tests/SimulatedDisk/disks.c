/* The disks of this process, the one lock over all of them, and what chance decides. */
#include "internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct disk *disks;
static uint64_t last_life;
static bool is_seeded;
static uint64_t randomness;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t released;
static pthread_once_t once = PTHREAD_ONCE_INIT;

_Thread_local struct caller simulated_disk_caller;

/* MARK: the lock */

static void prepare(void) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&released, &attributes);
    pthread_condattr_destroy(&attributes);
}

void simulated_disk_lock(void) {
    pthread_once(&once, prepare);
    pthread_mutex_lock(&lock);
}

int simulated_disk_unlock(int result) {
    pthread_mutex_unlock(&lock);
    return result;
}

void simulated_disk_announce_release(void) { pthread_cond_broadcast(&released); }

bool simulated_disk_wait(const struct timespec *until) { return pthread_cond_timedwait(&released, &lock, until) == 0; }

/* MARK: chance and memory */

/* SplitMix64: a counter, stirred. */
uint64_t simulated_disk_draw(uint64_t *state) {
    uint64_t mixed = *state += 0x9E3779B97F4A7C15;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
    return mixed ^ (mixed >> 31);
}

bool simulated_disk_random(uint8_t *bytes, size_t count) {
    simulated_disk_lock();
    bool follows = is_seeded;
    for (size_t index = 0; follows && index < count; index++)
        bytes[index] = (uint8_t)simulated_disk_draw(&randomness);
    simulated_disk_unlock(SQLITE_OK);
    return follows;
}

void simulated_disk_seed_randomness(uint64_t seed) {
    simulated_disk_lock();
    is_seeded = true;
    randomness = seed;
    simulated_disk_unlock(SQLITE_OK);
    sqlite3_randomness(0, NULL); /* asks for numbers anew the next time */
}

void *simulated_disk_allocate(void *old, size_t count, size_t size) {
    void *memory = reallocarray(old, count > 0 ? count : 1, size);
    if (memory == NULL) abort(); /* no test can say anything after that */
    return memory;
}

/* MARK: disks */

uint64_t simulated_disk_next_life(void) { return ++last_life; }

struct disk *simulated_disk_find(const char *name, size_t length) {
    struct disk *disk = disks;
    while (disk != NULL && (strlen(disk->name) != length || memcmp(disk->name, name, length) != 0))
        disk = disk->next;
    return disk;
}

struct disk *simulated_disk_named(const char *name) {
    return simulated_disk_find(name, strlen(name));
}

bool simulated_disk_is_open(const struct handle *handle) {
    for (const struct disk *disk = disks; disk != NULL; disk = disk->next) {
        for (const struct handle *one = disk->handles; one != NULL; one = one->next) {
            if (one == handle) return true;
        }
    }
    return false;
}

bool simulated_disk_make(const char *name, uint64_t seed) {
    if (name[0] == 0 || strchr(name, '/') != NULL) return false;
    simulated_disk_lock();
    bool is_new = simulated_disk_named(name) == NULL;
    if (is_new) {
        struct disk *disk = simulated_disk_allocate(NULL, 1, sizeof *disk);
        *disk = (struct disk){.next = disks, .chance = seed, .capacity = UINT64_MAX};
        disk->name = simulated_disk_allocate(NULL, strlen(name) + 1, 1);
        strcpy(disk->name, name);
        disk->id = disk->life = simulated_disk_next_life();
        disks = disk;
    }
    simulated_disk_unlock(SQLITE_OK);
    return is_new;
}

bool simulated_disk_destroy(const char *name) {
    simulated_disk_lock();
    struct disk *disk = simulated_disk_named(name);
    bool was_seeded = is_seeded;
    if (disk != NULL) {
        simulated_disk_end_process(disk);
        for (size_t index = 0; index < disk->entry_count; index++) {
            simulated_disk_settle_name(&disk->entries[index], NULL);
        }
        simulated_disk_remove_empty_entries(disk);
        struct disk **before = &disks;
        while (*before != disk)
            before = &(*before)->next;
        *before = disk->next;
        free(disk->entries);
        free(disk->name);
        free(disk);
        is_seeded = is_seeded && disks != NULL;
    }
    bool is_over = was_seeded && !is_seeded;
    simulated_disk_unlock(SQLITE_OK);
    if (is_over) sqlite3_randomness(0, NULL); /* real ones again */
    return disk != NULL;
}
