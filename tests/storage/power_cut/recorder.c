/* Records what a process writes to the files of one folder, and when it syncs them: preloaded (LD_PRELOAD) into the
 * process, it stands between it and libc. KAFKA_RECORD_FOLDER is the folder, KAFKA_RECORD_LOG the file to record to.
 * With KAFKA_RECORD_FAIL=n, all but the first n syncs of the thread for shared syncs fail, as on a broken disk.
 *
 * One record: kind, length of the path, offset, length of the data (four little-endian u64), the path, the data.
 * Records are in the order in which the calls took effect. A sync has two, because other threads go on meanwhile:
 * what was written before its beginning is on the disk after its end. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, TRUNCATE = 2, SYNC_BEGINS = 3, SYNC_ENDS = 4, REMOVE = 5 };

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static const char *folder;
static int record_fd = -1;
static int syncs_left = -1;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_unlink)(const char *);

static void fail(const char *what) {
    perror(what);
    abort();
}

__attribute__((constructor)) static void start(void) {
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    folder = getenv("KAFKA_RECORD_FOLDER");
    const char *log = getenv("KAFKA_RECORD_LOG");
    if (getenv("KAFKA_RECORD_FAIL")) syncs_left = atoi(getenv("KAFKA_RECORD_FAIL"));
    if (folder && log) {
        record_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (record_fd < 0) fail("the record");
    }
}

/* Whether `path` is the folder or in it. */
static int inside(const char *path) {
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == 0 || path[length] == '/');
}

/* The path of an open file, if it is to be recorded. */
static int recorded(int fd, char *path, size_t size) {
    if (record_fd < 0 || fd == record_fd) return 0;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return inside(path);
}

static void record(uint64_t kind, const char *path, uint64_t offset, const void *data, uint64_t length) {
    uint64_t head[4] = {kind, strlen(path), offset, length};
    struct iovec parts[3] = {{head, sizeof head}, {(void *)path, head[1]}, {(void *)data, data ? length : 0}};
    ssize_t all = (ssize_t)(parts[0].iov_len + parts[1].iov_len + parts[2].iov_len);
    if (writev(record_fd, parts, 3) != all) fail("the record");
}

static ssize_t write_at(int fd, const void *data, size_t length, off_t offset, int positioned) {
    char path[4096];
    if (!recorded(fd, path, sizeof path))
        return positioned ? real_pwrite(fd, data, length, offset) : real_write(fd, data, length);
    pthread_mutex_lock(&order);
    if (!positioned) offset = lseek(fd, 0, fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
    ssize_t written = positioned ? real_pwrite(fd, data, length, offset) : real_write(fd, data, length);
    if (written > 0) record(WRITE, path, (uint64_t)offset, data, (uint64_t)written);
    pthread_mutex_unlock(&order);
    return written;
}

ssize_t write(int fd, const void *data, size_t length) { return write_at(fd, data, length, 0, 0); }

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    return write_at(fd, data, length, offset, 1);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    return write_at(fd, data, length, offset, 1);
}

int ftruncate(int fd, off_t length) {
    char path[4096];
    if (!recorded(fd, path, sizeof path)) return real_ftruncate(fd, length);
    pthread_mutex_lock(&order);
    int result = real_ftruncate(fd, length);
    if (result == 0) record(TRUNCATE, path, (uint64_t)length, NULL, 0);
    pthread_mutex_unlock(&order);
    return result;
}

int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }

static int broken(void) {
    char thread[16] = "";
    pthread_getname_np(pthread_self(), thread, sizeof thread);
    return syncs_left >= 0 && strcmp(thread, "sqlite-sync") == 0 && syncs_left-- == 0;
}

static int sync_file(int fd, int (*real)(int)) {
    char path[4096];
    if (!recorded(fd, path, sizeof path)) return real(fd);
    if (broken()) {
        errno = EIO;
        return -1;
    }
    pthread_mutex_lock(&order);
    record(SYNC_BEGINS, path, (uint64_t)fd, NULL, 0);
    pthread_mutex_unlock(&order);
    int result = real(fd);
    pthread_mutex_lock(&order);
    if (result == 0) record(SYNC_ENDS, path, (uint64_t)fd, NULL, 0);
    pthread_mutex_unlock(&order);
    return result;
}

int fsync(int fd) { return sync_file(fd, real_fsync); }

int fdatasync(int fd) { return sync_file(fd, real_fdatasync); }

int unlink(const char *path) {
    if (record_fd < 0 || !inside(path)) return real_unlink(path);
    pthread_mutex_lock(&order);
    int result = real_unlink(path);
    if (result == 0) record(REMOVE, path, 0, NULL, 0);
    pthread_mutex_unlock(&order);
    return result;
}
