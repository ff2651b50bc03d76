/* A disk that is slow: LD_PRELOADed into a process under test.
 *
 * Writes to files whose names end in PI05_SLOW_SUFFIX last as long as a disk of PI05_SLOW_RATE
 * bytes a second would take. Other files, sockets and shared memory are left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int is_slow(int file) {
  const char *suffix = getenv("PI05_SLOW_SUFFIX");
  if (!suffix) return 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path);
  size_t end = strlen(suffix);
  return length >= (ssize_t)end && memcmp(path + length - end, suffix, end) == 0;
}

static void wait_for(ssize_t bytes) {
  const char *text = getenv("PI05_SLOW_RATE");
  double rate = text ? atof(text) : 0.0;
  if (bytes <= 0 || rate <= 0.0) return;
  double seconds = bytes / rate;
  struct timespec time = {(time_t)seconds, (long)((seconds - (time_t)seconds) * 1e9)};
  nanosleep(&time, NULL);
}

ssize_t write(int file, const void *data, size_t size) {
  static ssize_t (*truly)(int, const void *, size_t);
  if (!truly) truly = dlsym(RTLD_NEXT, "write");
  ssize_t done = truly(file, data, size);
  if (done >= 4096 && is_slow(file)) wait_for(done);
  return done;
}

ssize_t writev(int file, const struct iovec *parts, int count) {
  static ssize_t (*truly)(int, const struct iovec *, int);
  if (!truly) truly = dlsym(RTLD_NEXT, "writev");
  ssize_t done = truly(file, parts, count);
  if (is_slow(file)) wait_for(done);
  return done;
}
