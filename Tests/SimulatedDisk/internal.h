/* What the parts of the simulated disk share. All of it is touched with the lock held, save where it says otherwise. */
#ifndef SIMULATED_DISK_INTERNAL_H
#define SIMULATED_DISK_INTERNAL_H

#include "simulated_disk.h"

#include <sqlite3.h>
#include <time.h>

/* Bytes that can grow. */
struct content {
    uint8_t *bytes;
    size_t count;
    size_t room;
};

/* A write, or (bytes is NULL) a truncation to offset. */
struct change {
    size_t offset;
    size_t count;
    uint8_t *bytes;
};

/* A file, whatever its name. It is there for as long as a name or a handle needs it. */
struct file {
    size_t uses;
    struct content now;     /* what whoever reads it sees */
    struct content synced;  /* what is on the disk for sure */
    struct change *changes; /* what leads from the one to the other */
    size_t change_count;
    size_t change_room;
    struct memory *memory; /* the WAL's shared memory while a connection has it */
};

/* A name in a folder. */
struct entry {
    char *name;
    struct file *now;  /* NULL: it was deleted */
    struct file *kept; /* what it is after a power cut if chance wants it so; NULL: nothing */
};

/* Shared memory. It outlives a crash for as long as a dead connection may look into it. */
struct memory {
    size_t uses;
    void **regions;
    size_t region_count;
};

/* What SQLite has open. SQLite owns the memory, until it closes it. */
struct handle {
    sqlite3_file base;
    struct disk *disk; /* NULL, as is file: dead */
    struct file *file;
    uint64_t disk_id;
    uint64_t life;
    struct handle *next;
    int lock;
    bool is_read_only;
    bool syncs_folder; /* with its next sync */
    struct memory *memory;
    unsigned shared; /* the locks on shared memory, one bit each */
    unsigned exclusive;
};

enum operation { CREATION, WRITE, TRUNCATION, SYNC, DELETION };

struct disk {
    struct disk *next;
    char *name;
    uint64_t id;
    uint64_t life; /* another number after each end */
    uint64_t chance;
    struct entry *entries; /* in the order in which they came */
    size_t entry_count;
    struct handle *handles;
    struct simulated_disk_counts counts;
    uint64_t countdown; /* operations until the planned fault; 0: none is planned */
    enum simulated_disk_fault planned;
    bool fails;
    bool is_read_only;
    bool is_ending; /* after the operation that is under way */
    uint64_t capacity;
};

/*
 * What the thread did last on simulated disks. A connection calls by path, too, and SQLite doesn't say which one it is:
 * it is the one whose handle the thread touched before.
 */
struct caller {
    uint64_t disk_id;
    uint64_t life;
    struct handle *waits; /* it was told that this handle can't have a lock; NULL: it wasn't */
    int level;            /* which one, on the database; SQLITE_LOCK_NONE: on shared memory */
    unsigned slots;
    bool is_exclusive;
};

extern _Thread_local struct caller simulated_disk_caller;

/* Disks (disks.c). random returns false when nobody wants the numbers to follow from a seed. */
void simulated_disk_lock(void);
int simulated_disk_unlock(int result);
void simulated_disk_announce_release(void);               /* to all who wait */
bool simulated_disk_wait(const struct timespec *until);   /* without the lock; false when the time has come */
bool simulated_disk_is_open(const struct handle *handle); /* and not dead; it need not be there */
struct disk *simulated_disk_find(const char *name, size_t length);
struct disk *simulated_disk_named(const char *name);
uint64_t simulated_disk_next_life(void);
uint64_t simulated_disk_draw(uint64_t *state);
bool simulated_disk_random(uint8_t *bytes, size_t count);
void *simulated_disk_allocate(void *old, size_t count, size_t size);

/* Operations (faults.c). Each begins with permit and, when that is well, is done and ends with settle. */
int simulated_disk_permit(struct disk *disk, enum operation operation);
int simulated_disk_settle(struct disk *disk, enum operation operation, int result);
bool simulated_disk_has_room(const struct disk *disk, const struct file *file, size_t end);
bool simulated_disk_is_losing_power(const struct disk *disk);
void simulated_disk_end_process(struct disk *disk);
void simulated_disk_lose_power(struct disk *disk);

/* Files and their names (files.c). */
void simulated_disk_put(struct content *content, size_t offset, const void *bytes, size_t count);
void simulated_disk_resize(struct content *content, size_t count);
void simulated_disk_clear(struct content *content);
void simulated_disk_write_file(struct file *file, size_t offset, const void *bytes, size_t count);
void simulated_disk_truncate_file(struct file *file, size_t count);
void simulated_disk_sync_file(struct disk *disk, struct file *file);
void simulated_disk_forget_changes(struct file *file);
struct file *simulated_disk_make_file(struct disk *disk, const char *name);
void simulated_disk_release_file(struct file *file);
struct entry *simulated_disk_entry(struct disk *disk, const char *name);
void simulated_disk_delete_name(struct disk *disk, const char *name);
void simulated_disk_settle_name(struct entry *entry, struct file *file);
void simulated_disk_sync_folder(struct disk *disk, const char *name);
void simulated_disk_remove_empty_entries(struct disk *disk);

/* Handles (handles.c, memory.c, locks.c). enter takes the lock, and is false when the handle is dead. */
extern const sqlite3_io_methods simulated_disk_methods;
bool simulated_disk_enter(struct handle *handle);
int simulated_disk_lock_file(sqlite3_file *opened, int level);
int simulated_disk_unlock_file(sqlite3_file *opened, int level);
void simulated_disk_await_release(int microseconds);
int simulated_disk_check_reserved(sqlite3_file *opened, int *is_reserved);
int simulated_disk_map_memory(sqlite3_file *opened, int region, int size, int extends, void volatile **to);
int simulated_disk_lock_memory(sqlite3_file *opened, int first, int count, int flags);
void simulated_disk_memory_barrier(sqlite3_file *opened);
int simulated_disk_unmap_memory(sqlite3_file *opened, int deletes);
void simulated_disk_leave_memory(struct handle *handle);

#endif
