/* Settings, the log, and reading memory that may not be there. */

#include "made_up.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <pthread.h>
#include <sys/uio.h>
#include <unistd.h>
#endif

const char *text_setting(const char *name, const char *otherwise) {
  char variable[64];
  snprintf(variable, sizeof variable, "MADE_UP_%s", name);
  const char *value = getenv(variable);
  return value && *value ? value : otherwise;
}

long long number_setting(const char *name, long long otherwise) {
  const char *value = text_setting(name, NULL);
  return value ? atoll(value) : otherwise;
}

#ifdef _WIN32
static CRITICAL_SECTION guard;
static INIT_ONCE guarded = INIT_ONCE_STATIC_INIT;
static BOOL CALLBACK make_guard(PINIT_ONCE once, void *parameter, void **context) {
  InitializeCriticalSection(&guard);
  return TRUE;
}
static void lock(void) {
  InitOnceExecuteOnce(&guarded, make_guard, NULL, NULL);
  EnterCriticalSection(&guard);
}
static void unlock(void) { LeaveCriticalSection(&guard); }
#else
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static void lock(void) { pthread_mutex_lock(&guard); }
static void unlock(void) { pthread_mutex_unlock(&guard); }
#endif

void note(const char *line, ...) {
  static FILE *log;
  static int opened;
  lock();
  if (!opened) {
    const char *path = text_setting("LOG", NULL);
    log = path ? fopen(path, "ab") : NULL;
    opened = 1;
  }
  if (log) {
    va_list arguments;
    va_start(arguments, line);
    fputc('{', log);
    vfprintf(log, line, arguments);
    fputs("}\n", log);
    fflush(log); /* what comes next may end the process */
    va_end(arguments);
  }
  unlock();
}

const char *quoted(const char *text) {
  static _Thread_local char made[4096];
  size_t used = 0;
  for (; *text && used < sizeof made - 8; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\')
      made[used++] = '\\';
    if (c >= ' ')
      made[used++] = (char)c;
    else
      used += (size_t)sprintf(made + used, "\\u%04x", c);
  }
  made[used] = 0;
  return made;
}

int outcome_of(const char *kind) {
  static long long calls;
  long long limit = number_setting("LOST_AFTER", 0);
  lock();
  long long number = ++calls;
  unlock();
  if (limit && number > limit)
    return (int)number_setting("LOST_WITH", 719);
  return (int)number_setting(kind, OK);
}

size_t read_safely(void *to, const void *from, size_t bytes) {
#ifdef _WIN32
  SIZE_T done = 0;
  ReadProcessMemory(GetCurrentProcess(), from, to, bytes, &done);
  return done;
#else
  struct iovec here = {to, bytes}, there = {(void *)from, bytes};
  ssize_t done = process_vm_readv(getpid(), &here, 1, &there, 1, 0);
  return done < 0 ? 0 : (size_t)done;
#endif
}
