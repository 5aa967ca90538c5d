/* A disk that loses what was not synced, for a process that is started with LD_PRELOAD.

   Files whose names end in .db or .db-wal are followed. What a sync makes durable is copied into a
   folder of its own ($FAULTY_DISK), so that a test can kill the process, put the durable content in
   place of the files, and start it again, as after a loss of power. Beside each durable file NAME
   lies NAME.dirty: what was written since the last sync, as pairs of offset and length; and
   NAME.dropped: what a failed sync has dropped. As on Linux, such pages stay readable, count as
   clean, and are not written by a later sync that succeeds.

   $FAULTY_DISK/control holds four 64-bit numbers:
     0  how many of the next syncs fail with EIO; negative: all
     1  how many have failed
     2  how many have succeeded
     3  while it is not 0, syncs stand still                                                     */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 4096
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static char *names[FILES]; /* by descriptor: where the durable content of its file is */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile int64_t *control;

static const char *folder(void) { return getenv("FAULTY_DISK"); }

static volatile int64_t *controls(void) {
    if (!control && folder()) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/control", folder());
        int fd = REAL(open)(path, O_RDWR);
        if (fd >= 0) {
            void *at = mmap(NULL, 32, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            if (at != MAP_FAILED) control = at;
            REAL(close)(fd);
        }
    }
    return control;
}

static int ends(const char *text, const char *end) {
    size_t a = strlen(text), b = strlen(end);
    return a >= b && !strcmp(text + a - b, end);
}

/* The durable file's path; NULL if the file is not followed. */
static char *durable(const char *path) {
    char *name, *all;
    if (!folder() || !path || (!ends(path, ".db") && !ends(path, ".db-wal"))) return NULL;
    const char *last = strrchr(path, '/');
    last = last ? last + 1 : path;
    if (asprintf(&all, "%s/%s", folder(), last) < 0) return NULL;
    name = all;
    return name;
}

static int beside(const char *name, const char *what, int flags) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s%s", name, what);
    return REAL(open)(path, flags | O_CLOEXEC, 0600);
}

static int opened(int fd, const char *path) {
    if (fd >= 0 && fd < FILES) {
        pthread_mutex_lock(&lock);
        free(names[fd]);
        names[fd] = durable(path);
        pthread_mutex_unlock(&lock);
    }
    return fd;
}

static int64_t entry[2];

static void wrote(int fd, int64_t offset, int64_t length) {
    if (fd < 0 || fd >= FILES || !names[fd] || length <= 0) return;
    pthread_mutex_lock(&lock);
    int to = beside(names[fd], ".dirty", O_WRONLY | O_CREAT | O_APPEND);
    entry[0] = offset, entry[1] = length;
    if (to < 0 || REAL(write)(to, entry, sizeof entry) != sizeof entry) abort();
    REAL(close)(to);
    pthread_mutex_unlock(&lock);
}

static char page[1 << 16];

/* Copy what is dirty to where it is durable, or drop it. */
static void settle(int fd, int drop) {
    pthread_mutex_lock(&lock);
    const char *name = names[fd];
    struct stat now;
    int from = beside(name, ".dirty", O_RDONLY), to = beside(name, "", O_RDWR | O_CREAT);
    int dropped = drop ? beside(name, ".dropped", O_WRONLY | O_CREAT | O_APPEND) : -1;
    if (to < 0 || fstat(fd, &now)) abort();
    while (from >= 0 && REAL(read)(from, entry, sizeof entry) == sizeof entry) {
        if (drop) {
            if (REAL(write)(dropped, entry, sizeof entry) != sizeof entry) abort();
            continue;
        }
        for (int64_t at = entry[0], end = entry[0] + entry[1]; at < end;) {
            size_t most = end - at < (int64_t)sizeof page ? (size_t)(end - at) : sizeof page;
            ssize_t got = pread(fd, page, most, at);
            if (got <= 0) break;
            if (REAL(pwrite64)(to, page, got, at) != got) abort();
            at += got;
        }
    }
    if (from >= 0) REAL(close)(from);
    if (dropped >= 0) REAL(close)(dropped);
    if (!drop && REAL(ftruncate64)(to, now.st_size)) abort();
    REAL(close)(to);
    int clean = beside(name, ".dirty", O_WRONLY | O_CREAT | O_TRUNC);
    if (clean >= 0) REAL(close)(clean);
    pthread_mutex_unlock(&lock);
}

static int sync_or_fail(int fd, int (*really)(int)) {
    volatile int64_t *at;
    if (fd < 0 || fd >= FILES || !names[fd] || !(at = controls())) return really(fd);
    while (at[3]) usleep(1000);
    if (at[0]) {
        if (at[0] > 0) __sync_fetch_and_sub(&at[0], 1);
        settle(fd, 1);
        __sync_fetch_and_add(&at[1], 1);
        errno = EIO;
        return -1;
    }
    settle(fd, 0);
    __sync_fetch_and_add(&at[2], 1);
    return 0;
}

int fsync(int fd) { return sync_or_fail(fd, REAL(fsync)); }
int fdatasync(int fd) { return sync_or_fail(fd, REAL(fdatasync)); }

#define MODE(flags, mode) \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }

int open(const char *path, int flags, ...) {
    MODE(flags, mode)
    return opened(REAL(open)(path, flags, mode), path);
}
int open64(const char *path, int flags, ...) {
    MODE(flags, mode)
    return opened(REAL(open64)(path, flags, mode), path);
}
int close(int fd) {
    if (fd >= 0 && fd < FILES && names[fd]) {
        pthread_mutex_lock(&lock);
        free(names[fd]);
        names[fd] = NULL;
        pthread_mutex_unlock(&lock);
    }
    return REAL(close)(fd);
}
ssize_t pwrite(int fd, const void *from, size_t length, off_t offset) {
    ssize_t done = REAL(pwrite)(fd, from, length, offset);
    wrote(fd, offset, done);
    return done;
}
ssize_t pwrite64(int fd, const void *from, size_t length, off64_t offset) {
    ssize_t done = REAL(pwrite64)(fd, from, length, offset);
    wrote(fd, offset, done);
    return done;
}
ssize_t write(int fd, const void *from, size_t length) {
    off_t offset = fd >= 0 && fd < FILES && names[fd] ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t done = REAL(write)(fd, from, length);
    wrote(fd, offset, done);
    return done;
}
int unlink(const char *path) {
    char *name = durable(path);
    if (name) {
        static const char *const all[] = {"", ".dirty", ".dropped"};
        char each[PATH_MAX];
        for (int i = 0; i < 3; i++) {
            snprintf(each, sizeof each, "%s%s", name, all[i]);
            REAL(unlink)(each);
        }
        free(name);
    }
    return REAL(unlink)(path);
}
