/*
 * simulated_disk - disks in memory for SQLite, which fail and lose things on purpose.
 *
 * An SQLite VFS (sqlite.org/vfs.html) that becomes the process' default: whoever opens "/simulated/board/agent.db"
 * opens the file "agent.db" of the simulated disk "board", and any path that doesn't begin with "/simulated/" is left
 * to the VFS that was the default before. SQLite's temporary files are such: they have no path.
 *
 * A disk knows of each file what SQLite wrote and what of it was synced. That is what decides what a power cut takes.
 * Where nothing else is said, it does as SQLite's own VFS for Unix does: it tells of sectors of 4096 bytes and of
 * powersafe overwriting, and the first sync of a journal or WAL that was opened syncs the folder, too.
 *
 * Connections of this process lock one another out as on a real disk. Who waits for a lock (PRAGMA busy_timeout) goes
 * on as soon as it is free and waits 10 ms at most at a time, so that two seconds are over after 0.3 when nobody lets
 * go.
 *
 * Everything may be called from any thread. A function that takes the name of a disk returns false (or what it says)
 * when there is no such disk. Names of files are those within the disk, such as "agent.db". Folders need not be made.
 */
#ifndef SIMULATED_DISK_H
#define SIMULATED_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What paths on simulated disks begin with; the name of the disk and a slash follow. */
#define SIMULATED_DISK_ROOT "/simulated/"

/* MARK: disks */

/* Makes simulated disks known to SQLite. Once is enough, more do no harm; false when SQLite refuses. */
bool simulated_disk_install(void);

/*
 * Makes an empty disk. What chance decides on it follows from the seed and from what was done with it before.
 * False when there is one of that name, or when the name is empty or has a slash in it.
 */
bool simulated_disk_make(const char *disk, uint64_t seed);

/* Takes a disk away with all that is on it. What was open on it fails from then on, as after a crash. */
bool simulated_disk_destroy(const char *disk);

/*
 * Makes SQLite's random numbers follow from a seed, so that the same steps write the same bytes: SQLite writes random
 * numbers into its WAL and its journals. This holds for the whole process, whose threads draw from the same numbers,
 * and until the last simulated disk is taken away. Call it once for a disk, when it was made: the same numbers a second
 * time could make SQLite take old frames of a WAL for new ones.
 */
void simulated_disk_seed_randomness(uint64_t seed);

/* MARK: what was done */

/* How many operations were carried out that change something. */
struct simulated_disk_counts {
    uint64_t creations; /* of files */
    uint64_t writes;
    uint64_t truncations;
    uint64_t syncs;
    uint64_t deletions; /* of files; with the sync of the folder where SQLite wants one */
    uint64_t total;     /* all of these */
    uint64_t failures;  /* not carried out: a fault, no space, read-only. Not in the total. */
};

/* Tells how many operations were carried out since the disk was made. */
bool simulated_disk_count(const char *disk, struct simulated_disk_counts *counts);

/* MARK: faults */

/* What happens at an operation. */
enum simulated_disk_fault {
    /* It fails and changes nothing: SQLITE_IOERR_WRITE, _TRUNCATE, _FSYNC, _DELETE, SQLITE_CANTOPEN. */
    SIMULATED_DISK_FAILS_ONCE = 0,
    /* So does each one after it, until the faults are cleared. */
    SIMULATED_DISK_FAILS_FROM_THEN_ON = 1,
    /* The process ends right after it, see simulated_disk_crash: it is done, and nobody hears of it. */
    SIMULATED_DISK_CRASHES = 2,
    /* The power goes in the middle of it, see simulated_disk_cut_power: nothing of it is synced. */
    SIMULATED_DISK_LOSES_POWER = 3,
};

/*
 * Plans what happens at the n-th operation from now that would change something (1: the next). It replaces what was
 * planned before; 0 plans nothing. Operations that fail are counted here too.
 */
bool simulated_disk_plan_fault(const char *disk, uint64_t n, enum simulated_disk_fault fault);

/*
 * Sets how many bytes all files may have together. What would make a file grow beyond that fails with SQLITE_FULL and
 * writes nothing. 0: the disk is full, whatever is on it. UINT64_MAX: as much as there is memory, as at first.
 */
bool simulated_disk_set_capacity(const char *disk, uint64_t bytes);

/*
 * Makes a disk read-only, or writable again: all that would change something fails with SQLITE_READONLY. A file that is
 * there is opened for reading only, one that isn't can't be opened (SQLITE_CANTOPEN), and nor can a WAL's shared memory
 * that no connection has yet.
 */
bool simulated_disk_set_read_only(const char *disk, bool is_read_only);

/* Clears all faults: what was planned, what fails, the capacity, read-only. */
bool simulated_disk_clear_faults(const char *disk);

/* MARK: ends */

/*
 * Ends the process (kill -9) as far as this disk sees it. What was written stays, synced or not. All that is open is
 * dead: each later call on it fails with SQLITE_IOERR and changes nothing, so that it can be closed at leisure and
 * leaves no trace. Locks and shared memory are gone. The disk can be used again at once; faults stay as they are.
 */
bool simulated_disk_crash(const char *disk);

/*
 * Ends the process and cuts the power: as above, and chance takes of what was not synced. How much goes is decided for
 * each file anew, from all to nothing. Then each write since the file's last sync is kept, lost (perhaps with its
 * length kept, as zeros) or torn: of each 512 bytes of the file, from 0 on, that it touched, the new ones are there or
 * not. A truncation is kept or lost. The order of writes doesn't matter, in one file or between files.
 *
 * A file that was created is there or not, and one that was deleted is gone or not, unless the file was synced since
 * it was created, or its folder since then. What was synced is kept, always.
 */
bool simulated_disk_cut_power(const char *disk);

/* MARK: what is on it */

/* How many bytes all files have together. 0 when there is no such disk. */
uint64_t simulated_disk_total_size(const char *disk);

/*
 * Writes the names of all files, in the order of their bytes, each with a newline after it, and a NUL at the end;
 * as much of it as there is room for.
 * Returns how much room all of it takes, with the NUL; 0 when there is no such disk.
 */
size_t simulated_disk_list(const char *disk, char *names, size_t room);

/* The size of a file; -1 when there is no such file or disk. */
int64_t simulated_disk_file_size(const char *disk, const char *file);

/* Reads from a file, as SQLite would at this moment. Returns how many bytes there were; -1 when there is no file. */
int64_t simulated_disk_read(const char *disk, const char *file, uint64_t offset, void *bytes, size_t count);

/*
 * Damages a file: other bytes where some are already. No fault stops this, no power cut undoes it, and it counts as no
 * operation. False when the file is not there or doesn't reach that far; then nothing is changed.
 */
bool simulated_disk_overwrite(const char *disk, const char *file, uint64_t offset, const void *bytes, size_t count);

/* MARK: images */

/* What was on a disk at one moment, as a copy of all its files has it. */
struct simulated_disk_image;

/* Makes an image, to be freed with simulated_disk_image_free. NULL when there is no such disk. */
struct simulated_disk_image *simulated_disk_copy(const char *disk);

/*
 * Puts an image in place of all that is on a disk, which need not be the one that it was made of. All of it is synced.
 * What was open fails from then on, as after a crash.
 */
bool simulated_disk_restore(const char *disk, const struct simulated_disk_image *image);

/* Frees an image; NULL does no harm. */
void simulated_disk_image_free(struct simulated_disk_image *image);

#ifdef __cplusplus
}
#endif

#endif
