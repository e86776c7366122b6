/* Faults in the files below TORTURE_FOLDER: the call number TORTURE_AFTER and all later ones of a kind fail.
   Loaded with LD_PRELOAD by torture.py; the variables may change while the process runs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is(const char *mode) {
    const char *set = getenv("TORTURE_MODE");
    return set && !strcmp(set, mode);
}

static int below(const char *path) {
    const char *folder = getenv("TORTURE_FOLDER");
    return folder && !strncmp(path, folder, strlen(folder));
}

static int watched(int file) {
    char link[64], path[4096];
    if (!getenv("TORTURE_MODE")) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return below(path);
}

static int due(void) {
    static long calls = 0;
    const char *after = getenv("TORTURE_AFTER");
    return calls++ >= (after ? atol(after) : 0);
}

#define REAL(type, name, ...) static type (*real)(__VA_ARGS__); if (!real) real = dlsym(RTLD_NEXT, #name)

ssize_t write(int file, const void *bytes, size_t size) {
    REAL(ssize_t, write, int, const void *, size_t);
    static int odd = 0;
    if (watched(file)) {
        if (is("short") && size > 1) return real(file, bytes, size / 3 + 1);
        if (is("interrupted") && (odd = !odd)) { errno = EINTR; return -1; }
        if (is("enospc") && due()) { errno = ENOSPC; return -1; }
        if (is("eio") && due()) { errno = EIO; return -1; }
    }
    return real(file, bytes, size);
}

ssize_t read(int file, void *bytes, size_t size) {
    REAL(ssize_t, read, int, void *, size_t);
    if (watched(file)) {
        if (is("short-read") && size > 7) size = 7 + size / 5;
        if (is("read-eio") && due()) { errno = EIO; return -1; }
    }
    return real(file, bytes, size);
}

int fsync(int file) {
    REAL(int, fsync, int);
    if (is("fsync") && watched(file) && due()) { errno = EIO; return -1; }
    return real(file);
}

int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    if (is("rename") && (to[0] != '/' || below(to)) && due())  /* the current folder */ { errno = EIO; return -1; }
    return real(from, to);
}
