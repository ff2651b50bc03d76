/* System time that steps: LD_PRELOADed into a process under test.
 *
 * Adds an offset [ns], read from the first 8 bytes of the file PI05_CLOCK_OFFSET, to the real-time
 * clock, and takes it off the deadlines of waits on that clock, which the kernel compares with the
 * true time. A wait that is under way when the time steps is not prolonged, as it would be by a
 * true step. The steady clock is left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t second = 1000000000;
static const int64_t *shared;
static int (*true_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void open_offset(void) {
  true_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  const char *path = getenv("PI05_CLOCK_OFFSET");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *mapped = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  if (mapped != MAP_FAILED) shared = mapped;
  close(file);
}

static int64_t offset(void) { return shared ? __atomic_load_n(shared, __ATOMIC_ACQUIRE) : 0; }

static struct timespec moved(const struct timespec *time, int64_t by) {
  int64_t total = time->tv_sec * second + time->tv_nsec + by;
  struct timespec result = {total / second, total % second};
  return result;
}

/* A deadline without its clock: one on the steady clock lies near 0, as machines run. */
static struct timespec deadline(const struct timespec *time) {
  return time->tv_sec > second ? moved(time, -offset()) : *time;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  if (!true_clock_gettime) true_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  int status = true_clock_gettime(clock, time);
  if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    *time = moved(time, offset());
  return status;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  (void)zone;
  struct timespec now;
  int status = clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return status;
}

time_t time(time_t *result) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (result) *result = now.tv_sec;
  return now.tv_sec;
}

int timespec_get(struct timespec *time, int base) {
  return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, time) == 0 ? base : 0;
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                           const struct timespec *until) {
  static int (*wait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
  /* The version that glibc links by default; an older one has another layout. */
  if (!wait) wait = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
  if (!wait) wait = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
  struct timespec due = deadline(until);
  return wait(condition, mutex, &due);
}

int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *until) {
  static int (*lock)(pthread_mutex_t *, const struct timespec *);
  if (!lock) lock = dlsym(RTLD_NEXT, "pthread_mutex_timedlock");
  struct timespec due = deadline(until);
  return lock(mutex, &due);
}

int sem_timedwait(sem_t *semaphore, const struct timespec *until) {
  static int (*wait)(sem_t *, const struct timespec *);
  if (!wait) wait = dlsym(RTLD_NEXT, "sem_timedwait");
  struct timespec due = deadline(until);
  return wait(semaphore, &due);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *until,
                    struct timespec *left) {
  static int (*sleeps)(clockid_t, int, const struct timespec *, struct timespec *);
  if (!sleeps) sleeps = dlsym(RTLD_NEXT, "clock_nanosleep");
  struct timespec due = *until;
  if (clock == CLOCK_REALTIME && (flags & TIMER_ABSTIME)) due = moved(until, -offset());
  return sleeps(clock, flags, &due, left);
}
