/* A disk that takes its time: preloaded (LD_PRELOAD) into a server, it keeps whoever waits for the disk waiting while the
 * file that KAFKA_HELD_DISK names is there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void wait_for_release(void) {
    const char *file = getenv("KAFKA_HELD_DISK");
    while (file && access(file, F_OK) == 0) {
        usleep(2000);
    }
}

int fdatasync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
    wait_for_release();
    return real(fd);
}

int fsync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    wait_for_release();
    return real(fd);
}
