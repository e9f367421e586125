/* What CUDA's runtime asks its driver for beside the functions of cuda.h: tables of functions, each by
   a number of 16 bytes. Their forms are those that the ZLUDA project has published; what is not known
   comes to nothing. Runtimes from CUDA 11.2 on ask for a proof that the driver is NVIDIA's: there is
   none here, and they stop. */

#include "made_up.h"

typedef void *Entry;

static int nothing(void) { return OK; }
static int a_context;
static uintptr_t last_module = 0x900000;

static int primary_context(Entry *context, int device) { return *context = &a_context, OK; }
static int module_of(Entry *module) { return *module = (Entry)(last_module += 16), OK; }
static int module_1(Entry *module, const void *wrapped) { return module_of(module); }
static int module_6(Entry *module, const void *wrapped, Entry a, Entry b, size_t n) {
  return module_of(module);
}
static int module_8(const void *wrapped, Entry *module, Entry a, Entry b, unsigned n) {
  return module_of(module);
}

static uintptr_t first_space[512];
static char second_space[2];
static void callbacks_1(Entry *at, size_t *count) { *at = first_space, *count = 512; }
static void callbacks_5(Entry *at, size_t *count) { *at = second_space, *count = 2; }

/* What the runtime keeps with a context, and asks for again. */
static Entry kept;
static int keep(Entry context, Entry key, Entry value, Entry ended) { return kept = value, OK; }
static int forget(Entry context, Entry key) { return OK; }
static int ask_for(Entry *value, Entry context, Entry key) { return kept ? (*value = kept, OK) : INVALID; }

enum { ENTRIES = 64 };
#define SIZE (Entry)(ENTRIES * sizeof(Entry))
static Entry of_runtime[ENTRIES] = {SIZE,    module_1, primary_context, nothing, nothing,
                                    nothing, module_6, nothing,         module_8, [9 ... 63] = nothing};
static Entry of_tools[ENTRIES] = {SIZE,    nothing, callbacks_1, nothing, nothing,
                                  nothing, callbacks_5, [7 ... 63] = nothing};
static Entry of_storage[] = {keep, forget, ask_for, 0};
static Entry unknown[ENTRIES] = {SIZE, [1 ... 63] = nothing};

PUBLIC int cuGetExportTable(const void **table, const unsigned char *number) {
  switch (number[0]) {
  case 0x6b: *table = of_runtime; break;
  case 0xa0: *table = of_tools; break;
  case 0xc6: *table = of_storage; break;
  default: *table = unknown;
  }
  return OK;
}
