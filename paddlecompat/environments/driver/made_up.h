/* A made-up NVIDIA driver: device memory is host memory, and few kernels are carried out.

   What it answers is declared by the variables below, which `settings.py` writes and checks. What it
   was asked goes to a log, a JSON object a line, whose form `log.py` declares.

   No GPU code is looked at: a kernel is known by its name, its grid and its arguments. */

#ifndef MADE_UP_H
#define MADE_UP_H

#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32
#define PUBLIC __declspec(dllexport)
#define WIDE "llu" /* Windows' long has 32 bits */
#else
#define PUBLIC __attribute__((visibility("default")))
#define WIDE "lu"
#endif

enum { OK = 0, INVALID = 1, OUT_OF_MEMORY = 2, NOT_FOUND = 500 };

/* Settings: the text or the number of the variable MADE_UP_<NAME>, else what is given. */
const char *text_setting(const char *name, const char *otherwise);
long long number_setting(const char *name, long long otherwise);

/* The log: a line each. `line` is a format that gives the inside of a JSON object. */
void note(const char *line, ...);
/* `text` as JSON would have it inside of quotes; valid until the next call. */
const char *quoted(const char *text);

/* What a call of this kind comes to: the error that the settings choose for it, OK otherwise. */
int outcome_of(const char *kind);

/* Read memory that may not be there; how many bytes were read. */
size_t read_safely(void *to, const void *from, size_t bytes);

typedef struct {
  const char *name; /* mangled */
  unsigned grid[3], block[3];
  void **arguments;
} Launch;

/* Do on the host what a kernel is known to do; 0 where it is not known. */
int carry_out(const Launch *launch);

#endif
