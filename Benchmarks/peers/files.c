/*
 * files - what plain C does with files: the peer of the agent's watch over them in `make bench`.
 *
 * A check walks through a folder, asks for each file what statx(2) says, and hashes it with SHA-256 of libcrypto's EVP
 * in portions of 128 KiB. What the agent's check does besides is not done here: nothing is compared, nothing is kept,
 * nothing is left as it was in the page cache. A watch is inotify(7) on one folder: whatever is closed there after it
 * was written to is hashed, and its name said.
 */
#include "peer.h"

#include <fcntl.h>
#include <fts.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: files check FOLDER        statx and SHA-256 of everything in it\n"
    "       files metadata FOLDER     statx alone\n"
    "       files watch FOLDER        a line for each file that was written to and closed, when it is hashed\n"
    "       files run COMMAND...      any program: what it has worked, and its biggest resident memory\n"
    "\n"
    "All but watch print a JSON object.\n";

enum { portion = 131072 };

static EVP_MD_CTX *context;
static uint8_t buffer[portion];

/* SHA-256 of a file; whether it could be read. */
static bool hash(const char *path, uint8_t digest[EVP_MAX_MD_SIZE], uint64_t *bytes) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    if (EVP_DigestInit_ex2(context, EVP_sha256(), NULL) != 1) die("there is no SHA-256");
    ssize_t count;
    while ((count = read(file, buffer, portion)) > 0) {
        EVP_DigestUpdate(context, buffer, (size_t)count);
        *bytes += (uint64_t)count;
    }
    close(file);
    EVP_DigestFinal_ex(context, digest, NULL);
    return count == 0;
}

static int in_order(const FTSENT **one, const FTSENT **other) { return strcmp((*one)->fts_name, (*other)->fts_name); }

static int check(const char *folder, bool is_read) {
    char *const roots[] = {(char *)folder, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, in_order);
    if (walk == NULL) die("%s can't be walked through", folder);
    uint64_t files = 0, bytes = 0;
    for (FTSENT *entry; (entry = fts_read(walk)) != NULL;) {
        if (entry->fts_info == FTS_DP) continue;
        struct statx status;
        if (statx(AT_FDCWD, entry->fts_path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status) != 0) continue;
        uint8_t digest[EVP_MAX_MD_SIZE];
        if (is_read && S_ISREG(status.stx_mode) && !hash(entry->fts_path, digest, &bytes))
            die("%s can't be read", entry->fts_path);
        files++;
    }
    fts_close(walk);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("{\"cpu_seconds\": %.6f, \"peak_mb\": %.3f, \"files\": %llu, \"bytes\": %llu}\n",
           seconds(CLOCK_PROCESS_CPUTIME_ID), (double)used.ru_maxrss * 1024 / 1e6, (unsigned long long)files,
           (unsigned long long)bytes);
    return 0;
}

static int watch(const char *folder) {
    int inotify = inotify_init1(IN_CLOEXEC);
    if (inotify < 0 || inotify_add_watch(inotify, folder, IN_CLOSE_WRITE) < 0) die("%s can't be watched", folder);
    puts("watching");
    fflush(stdout);
    _Alignas(struct inotify_event) char events[4096];
    ssize_t count;
    while ((count = read(inotify, events, sizeof events)) > 0) {
        for (char *place = events; place < events + count;) {
            const struct inotify_event *event = (const struct inotify_event *)place;
            char path[4096];
            uint8_t digest[EVP_MAX_MD_SIZE];
            uint64_t bytes = 0;
            snprintf(path, sizeof path, "%s/%s", folder, event->name);
            if (hash(path, digest, &bytes)) printf("%02x%02x %s\n", digest[0], digest[1], event->name);
            fflush(stdout);
            place += sizeof *event + event->len;
        }
    }
    return 0;
}

static int run(char *const command[]) {
    pid_t child = fork();
    if (child < 0) die("there are no more processes");
    if (child == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execvp(command[0], command);
        die("%s can't be started", command[0]);
    }
    int status;
    struct rusage used;
    if (wait4(child, &status, 0, &used) != child) die("%s is lost", command[0]);
    if (!WIFEXITED(status)) die("%s has died", command[0]);
    double worked = (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
                    ((double)used.ru_utime.tv_usec + (double)used.ru_stime.tv_usec) / 1e6;
    printf("{\"cpu_seconds\": %.6f, \"peak_mb\": %.3f, \"status\": %d}\n", worked, (double)used.ru_maxrss * 1024 / 1e6,
           WEXITSTATUS(status));
    return 0;
}

int main(int count, char *arguments[]) {
    if (count < 3) usage(help);
    context = EVP_MD_CTX_new();
    if (context == NULL) die("there is no memory");
    if (strcmp(arguments[1], "check") == 0) return check(arguments[2], true);
    if (strcmp(arguments[1], "metadata") == 0) return check(arguments[2], false);
    if (strcmp(arguments[1], "watch") == 0) return watch(arguments[2]);
    if (strcmp(arguments[1], "run") == 0) return run(arguments + 2);
    usage(help);
}
