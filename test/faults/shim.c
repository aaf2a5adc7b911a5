/*
 * Makes system calls on files below FAULT_PREFIX fail, for tests: LD_PRELOAD=shim.so.
 *
 * All processes count their calls together, in the file FAULT_COUNTER. The first call of FAULT_KIND from number FAULT_AT
 * on (from 1) fails with FAULT_ERRNO, and with FAULT_STICKY=1 every later call of that kind as well. FAULT_ACTION=kill
 * kills the process before that call instead, `stop` stops it, `short` writes the first half of the bytes of a write, and
 * `clock` sets the clock of all processes by FAULT_SHIFT seconds from then on. Calls are appended to FAULT_LOG, if it is
 * set, as "number kind path". With FAULT_PROGRAM only processes count whose command line contains it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { OPEN, CREATE, WRITE, SYNC, RENAME, LINK, UNLINK, MKDIR, RMDIR, TRUNCATE, READ, LIST, KINDS };
static const char *const kind_names[KINDS] = {"open",   "create", "write", "sync",     "rename", "link",
                                              "unlink", "mkdir",  "rmdir", "truncate", "read",   "list"};

struct shared {
  atomic_long count;
  atomic_int done; /* whether the fault has happened */
  atomic_long shift; /* seconds that the clock is set by */
};

static struct shared *shared;
static const char *prefix;
static long fail_at, error_number, sticky, shift;
static const char *fail_kind;
static enum { FAIL, KILL, STOP, SHORT, CLOCK } action;
static const char *const action_names[] = {"fail", "kill", "stop", "short", "clock"};
static int counts = 1;
static int log_file = -1;
static __thread int inside;

static void put_log(long number, enum kind kind, const char *path) {
  char line[4200];
  int length = snprintf(line, sizeof line, "%ld %s %s\n", number, kind_names[kind], path);
  if (log_file >= 0 && length > 0) syscall(SYS_write, log_file, line, (size_t)length);
}

/* Whether the command line of this process contains a word. */
static int is_program(const char *word) {
  char line[8192];
  int file = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  ssize_t length = file < 0 ? -1 : (ssize_t)syscall(SYS_read, file, line, sizeof line);
  if (file >= 0) syscall(SYS_close, file);
  return length > 0 && memmem(line, (size_t)length, word, strlen(word)) != NULL;
}

__attribute__((constructor)) static void begin(void) {
  const char *counter = getenv("FAULT_COUNTER");
  prefix = getenv("FAULT_PREFIX");
  if (!counter || !prefix) return;
  const char *at = getenv("FAULT_AT"), *number = getenv("FAULT_ERRNO"), *again = getenv("FAULT_STICKY");
  fail_kind = getenv("FAULT_KIND");
  const char *what = getenv("FAULT_ACTION"), *log = getenv("FAULT_LOG");
  fail_at = at ? atol(at) : 0;
  error_number = number ? atol(number) : EIO;
  sticky = again ? atol(again) : 0;
  const char *seconds = getenv("FAULT_SHIFT"), *program = getenv("FAULT_PROGRAM");
  shift = seconds ? atol(seconds) : 0;
  for (int one = FAIL; one <= CLOCK; one++)
    if (what && !strcmp(what, action_names[one])) action = one;
  counts = !program || !*program || is_program(program);
  inside = 1;
  int file = (int)syscall(SYS_openat, AT_FDCWD, counter, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file >= 0 && syscall(SYS_ftruncate, file, sizeof *shared) == 0) {
    void *mapped = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) shared = mapped;
  }
  if (file >= 0) syscall(SYS_close, file);
  if (log) log_file = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  inside = 0;
}

/* The path from the root, without following links. */
static const char *absolute(const char *path, char *into, size_t size) {
  if (!path || path[0] == '/') return path;
  int saved = errno;
  char folder[4096];
  const char *here = getcwd(folder, sizeof folder);
  errno = saved;
  if (!here) return NULL;
  snprintf(into, size, "%s/%s", here, path[0] == '.' && path[1] == '/' ? path + 2 : path);
  return into;
}

/* Whether this call fails; for a write, `*half` asks for half of it instead. */
static int fails(enum kind kind, const char *written, int *half) {
  if (!shared || inside || !counts) return 0;
  char whole[8200];
  const char *path = absolute(written, whole, sizeof whole);
  if (!path || strncmp(path, prefix, strlen(prefix)) != 0) return 0;
  long number = atomic_fetch_add(&shared->count, 1) + 1;
  put_log(number, kind, path);
  if (!fail_at || number < fail_at || !fail_kind || strcmp(fail_kind, kind_names[kind]) != 0) return 0;
  if (atomic_exchange(&shared->done, 1)) {
    if (!sticky) return 0;
  } else if (action == KILL) {
    kill(getpid(), SIGKILL);
  } else if (action == STOP) {
    kill(getpid(), SIGSTOP);
    return 0;
  } else if (action == CLOCK) {
    atomic_store(&shared->shift, shift);
    return 0;
  } else if (action == SHORT) {
    if (half) *half = 1;
    return 0;
  }
  errno = (int)error_number;
  return 1;
}

static const char *path_of(int file, char *into, size_t size) {
  char name[64];
  int saved = errno;
  snprintf(name, sizeof name, "/proc/self/fd/%d", file);
  ssize_t length = readlink(name, into, size - 1);
  errno = saved;
  if (length < 0) return NULL;
  into[length] = 0;
  return into;
}

static int fails_file(enum kind kind, int file, int *half) {
  char path[4096];
  return shared && !inside && fails(kind, path_of(file, path, sizeof path), half);
}

#define REAL(name) \
  static __typeof__(name) *real; \
  if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

#define OPENING(name) \
  int name(const char *path, int flags, ...) { \
    va_list list; \
    va_start(list, flags); \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0; \
    va_end(list); \
    REAL(name); \
    enum kind kind = flags & (O_CREAT | O_WRONLY | O_RDWR) ? CREATE : OPEN; \
    return fails(kind, path, NULL) ? -1 : real(path, flags, mode); \
  }
OPENING(open)
OPENING(open64)

ssize_t write(int file, const void *bytes, size_t size) {
  REAL(write);
  int half = 0;
  if (fails_file(WRITE, file, &half)) return -1;
  return real(file, bytes, half && size > 1 ? size / 2 : size);
}

#define WRITING_AT(name, offset_type) \
  ssize_t name(int file, const void *bytes, size_t size, offset_type offset) { \
    REAL(name); \
    int half = 0; \
    if (fails_file(WRITE, file, &half)) return -1; \
    return real(file, bytes, half && size > 1 ? size / 2 : size, offset); \
  }
WRITING_AT(pwrite, off_t)
WRITING_AT(pwrite64, off64_t)

ssize_t writev(int file, const struct iovec *parts, int count) {
  REAL(writev);
  return fails_file(WRITE, file, NULL) ? -1 : real(file, parts, count);
}

ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t offset) {
  REAL(pwritev64);
  return fails_file(WRITE, file, NULL) ? -1 : real(file, parts, count, offset);
}

ssize_t preadv64(int file, const struct iovec *parts, int count, off64_t offset) {
  REAL(preadv64);
  return fails_file(READ, file, NULL) ? -1 : real(file, parts, count, offset);
}

#define READING_AT(name, offset_type) \
  ssize_t name(int file, void *bytes, size_t size, offset_type offset) { \
    REAL(name); \
    return fails_file(READ, file, NULL) ? -1 : real(file, bytes, size, offset); \
  }
READING_AT(pread, off_t)
READING_AT(pread64, off64_t)

ssize_t read(int file, void *bytes, size_t size) {
  REAL(read);
  return fails_file(READ, file, NULL) ? -1 : real(file, bytes, size);
}

#define ON_FILE(name, kind) \
  int name(int file) { \
    REAL(name); \
    return fails_file(kind, file, NULL) ? -1 : real(file); \
  }
ON_FILE(fsync, SYNC)
ON_FILE(fdatasync, SYNC)

int ftruncate(int file, off_t size) {
  REAL(ftruncate);
  return fails_file(TRUNCATE, file, NULL) ? -1 : real(file, size);
}

int ftruncate64(int file, off64_t size) {
  REAL(ftruncate64);
  return fails_file(TRUNCATE, file, NULL) ? -1 : real(file, size);
}

int rename(const char *from, const char *to) {
  REAL(rename);
  return fails(RENAME, to, NULL) ? -1 : real(from, to);
}

int link(const char *from, const char *to) {
  REAL(link);
  return fails(LINK, to, NULL) ? -1 : real(from, to);
}

int unlink(const char *path) {
  REAL(unlink);
  return fails(UNLINK, path, NULL) ? -1 : real(path);
}

int mkdir(const char *path, mode_t mode) {
  REAL(mkdir);
  return fails(MKDIR, path, NULL) ? -1 : real(path, mode);
}

int rmdir(const char *path) {
  REAL(rmdir);
  return fails(RMDIR, path, NULL) ? -1 : real(path);
}

int scandir64(const char *path, struct dirent64 ***entries, int (*filter)(const struct dirent64 *),
              int (*compare)(const struct dirent64 **, const struct dirent64 **)) {
  REAL(scandir64);
  return fails(LIST, path, NULL) ? -1 : real(path, entries, filter, compare);
}

DIR *opendir(const char *path) {
  REAL(opendir);
  return fails(LIST, path, NULL) ? NULL : real(path);
}

static long clock_shift(void) { return shared ? atomic_load(&shared->shift) : 0; }

int clock_gettime(clockid_t clock, struct timespec *now) {
  REAL(clock_gettime);
  int failed = real(clock, now);
  if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += clock_shift();
  return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  REAL(gettimeofday);
  int failed = real(now, zone);
  if (!failed) now->tv_sec += clock_shift();
  return failed;
}

time_t time(time_t *into) {
  REAL(time);
  time_t now = real(NULL) + clock_shift();
  if (into) *into = now;
  return now;
}
