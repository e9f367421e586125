/* The driver itself: libcuda.so.1, on Windows nvcuda.dll. One device, one context, no streams: what
   is asked is done at once, in the order in which it is asked. */

#include "made_up.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <malloc.h>
#define aligned(at, bytes) _aligned_malloc(bytes, at)
#define release(memory) _aligned_free(memory)
#else
#define aligned(at, bytes) aligned_alloc(at, bytes)
#define release(memory) free(memory)
#endif

typedef void *Handle;
static int the_context;

static Handle new_handle(void) {
  static uintptr_t last = 0x5000;
  return (Handle)(last += 16);
}

/* The device. */

static int capability(int minor) {
  int parts[2] = {7, 5};
  sscanf(text_setting("CAPABILITY", "7.5"), "%d.%d", parts, parts + 1);
  return parts[minor];
}

static size_t total_memory(void) { return (size_t)number_setting("MEMORY", 4096) << 20; }
static size_t free_memory(void) { return (size_t)number_setting("FREE", 3072) << 20; }

PUBLIC int cuInit(unsigned flags) {
  note("\"what\": \"open\", \"card\": \"%s\", \"capability\": \"%d.%d\"",
       quoted(text_setting("CARD", "Made-up card")), capability(0), capability(1));
  return outcome_of("INIT");
}
PUBLIC int cuDriverGetVersion(int *version) {
  *version = (int)number_setting("CUDA", 12020);
  return OK;
}
PUBLIC int cuDeviceGetCount(int *count) { return *count = 1, OK; }
PUBLIC int cuDeviceGet(int *device, int number) { return *device = number, OK; }
PUBLIC int cuDeviceGetName(char *name, int bytes, int device) {
  snprintf(name, (size_t)bytes, "%s", text_setting("CARD", "Made-up card"));
  return OK;
}
PUBLIC int cuDeviceTotalMem_v2(size_t *bytes, int device) { return *bytes = total_memory(), OK; }
PUBLIC int cuDeviceGetUuid(void *id, int device) { return memset(id, 1, 16), OK; }
PUBLIC int cuDeviceGetPCIBusId(char *id, int bytes, int device) {
  snprintf(id, (size_t)bytes, "0000:01:00.0");
  return OK;
}
PUBLIC int cuDeviceGetAttribute(int *value, int attribute, int device) {
  switch (attribute) { /* CUdevice_attribute of cuda.h */
  case 1: case 2: case 3: *value = 1024; break; /* threads a block, and in x and y */
  case 4: *value = 64; break;                   /* threads in z */
  case 5: *value = 2147483647; break;           /* blocks in x */
  case 6: case 7: *value = 65535; break;        /* blocks in y and z */
  case 8: *value = 49152; break;                /* shared memory a block */
  case 10: *value = 32; break;                  /* threads a warp */
  case 12: case 82: *value = 65536; break;      /* registers a block and a processor */
  case 16: *value = 40; break;                  /* processors */
  case 39: *value = 1024; break;                /* threads a processor */
  case 41: case 78: *value = 1; break;          /* one address space; priorities of streams */
  case 75: *value = capability(0); break;
  case 76: *value = capability(1); break;
  case 81: case 97: *value = 65536; break;      /* shared memory a processor and, opted in, a block */
  default: *value = 0;
  }
  return OK;
}

/* The context. */

PUBLIC int cuDevicePrimaryCtxRetain(Handle *context, int device) {
  return *context = &the_context, outcome_of("CONTEXT");
}
PUBLIC int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) {
  return *flags = 0, *active = 1, OK;
}
PUBLIC int cuCtxGetCurrent(Handle *context) { return *context = &the_context, OK; }
PUBLIC int cuCtxPopCurrent_v2(Handle *context) {
  if (context)
    *context = &the_context;
  return OK;
}
PUBLIC int cuCtxGetDevice(int *device) { return *device = 0, OK; }
PUBLIC int cuCtxGetStreamPriorityRange(int *least, int *most) { return *least = 0, *most = -1, OK; }
PUBLIC int cuCtxGetApiVersion(Handle context, unsigned *version) { return *version = 3020, OK; }
PUBLIC int cuCtxSynchronize(void) {
  note("\"what\": \"synchronize\"");
  return outcome_of("SYNCHRONIZE");
}
PUBLIC int cuGetErrorString(int error, const char **text) {
  return *text = "an error of the made-up driver", OK;
}
PUBLIC int cuGetErrorName(int error, const char **name) { return *name = "MADE_UP", OK; }

/* Memory. What is allocated holds 0xAB, as the memory of a device holds what was there before. */

PUBLIC int cuMemGetInfo_v2(size_t *left, size_t *total) {
  return *left = free_memory(), *total = total_memory(), outcome_of("MEMORY_INFO");
}
PUBLIC int cuMemAlloc_v2(Handle *memory, size_t bytes) {
  int came = outcome_of("ALLOCATE");
  *memory = came ? NULL : aligned(256, (bytes + 255) / 256 * 256);
  if (!came && !*memory)
    came = OUT_OF_MEMORY;
  if (*memory)
    memset(*memory, (int)number_setting("HELD_BEFORE", 0xAB), bytes);
  note("\"what\": \"allocate\", \"at\": %" WIDE ", \"bytes\": %" WIDE ", \"came\": %d",
       (uintptr_t)*memory, (uintptr_t)bytes, came);
  return came;
}
PUBLIC int cuMemFree_v2(Handle memory) {
  note("\"what\": \"free\", \"at\": %" WIDE, (uintptr_t)memory);
  release(memory);
  return OK;
}
PUBLIC int cuMemAllocHost_v2(Handle *memory, size_t bytes) {
  *memory = aligned(4096, (bytes + 4095) / 4096 * 4096);
  return *memory ? OK : OUT_OF_MEMORY;
}
PUBLIC int cuMemHostAlloc(Handle *memory, size_t bytes, unsigned flags) {
  return cuMemAllocHost_v2(memory, bytes);
}
PUBLIC int cuMemFreeHost(Handle memory) { return release(memory), OK; }
PUBLIC int cuMemHostGetDevicePointer_v2(Handle *device, Handle host, unsigned flags) {
  return *device = host, OK;
}
PUBLIC int cuPointerGetAttributes(unsigned count, int *attributes, Handle *data, Handle pointer) {
  return INVALID;
}
PUBLIC int cuPointerGetAttribute(Handle data, int attribute, Handle pointer) { return INVALID; }

/* For the program that runs in the release: a line of its own in the log; and what copies of 1 and of
   8 bytes to the host bring from now on, as if kernels had found whether there is one, and how many.
   Negative: what the memory holds. */

PUBLIC void made_up_mark(const char *text) { note("\"what\": \"mark\", \"text\": \"%s\"", quoted(text)); }

static long long any = -1, many = -1;
PUBLIC void made_up_bring(long long whether, long long count) { any = whether, many = count; }

static int copy(const char *kind, Handle to, const void *from, size_t bytes) {
  int came = outcome_of("COPY");
  note("\"what\": \"copy\", \"kind\": \"%s\", \"to\": %" WIDE ", \"from\": %" WIDE
       ", \"bytes\": %" WIDE ", \"came\": %d",
       kind, (uintptr_t)to, (uintptr_t)from, (uintptr_t)bytes, came);
  if (!came)
    memmove(to, from, bytes);
  if (!came && !strcmp(kind, "to host") && bytes == 1 && any >= 0)
    *(unsigned char *)to = (unsigned char)any;
  if (!came && !strcmp(kind, "to host") && bytes == 8 && many >= 0)
    memcpy(to, &many, bytes);
  return came;
}
#define COPY(name, kind)                                                                         \
  PUBLIC int name##_v2(Handle to, Handle from, size_t bytes) { return copy(kind, to, from, bytes); } \
  PUBLIC int name##Async_v2(Handle to, Handle from, size_t bytes, Handle stream) {                 \
    return copy(kind, to, from, bytes);                                                          \
  }
COPY(cuMemcpyHtoD, "to device")
COPY(cuMemcpyDtoH, "to host")
COPY(cuMemcpyDtoD, "on device")
PUBLIC int cuMemcpy(Handle to, Handle from, size_t bytes) { return copy("any", to, from, bytes); }
PUBLIC int cuMemcpyAsync(Handle to, Handle from, size_t bytes, Handle stream) {
  return copy("any", to, from, bytes);
}

static int fill(Handle memory, const void *with, size_t each, size_t count) {
  int came = outcome_of("FILL");
  note("\"what\": \"fill\", \"at\": %" WIDE ", \"bytes\": %" WIDE ", \"came\": %d",
       (uintptr_t)memory, (uintptr_t)(each * count), came);
  for (size_t i = 0; !came && i < count; i++)
    memcpy((char *)memory + each * i, with, each);
  return came;
}
PUBLIC int cuMemsetD8_v2(Handle memory, unsigned char value, size_t count) {
  return fill(memory, &value, 1, count);
}
PUBLIC int cuMemsetD8Async(Handle memory, unsigned char value, size_t count, Handle stream) {
  return fill(memory, &value, 1, count);
}
PUBLIC int cuMemsetD32_v2(Handle memory, unsigned value, size_t count) {
  return fill(memory, &value, 4, count);
}
PUBLIC int cuMemsetD32Async(Handle memory, unsigned value, size_t count, Handle stream) {
  return fill(memory, &value, 4, count);
}

/* Streams and events: there is nothing to wait for. */

PUBLIC int cuStreamCreate(Handle *stream, unsigned flags) { return *stream = new_handle(), OK; }
PUBLIC int cuStreamCreateWithPriority(Handle *stream, unsigned flags, int priority) {
  return *stream = new_handle(), OK;
}
PUBLIC int cuStreamSynchronize(Handle stream) {
  note("\"what\": \"synchronize\"");
  return outcome_of("SYNCHRONIZE");
}
PUBLIC int cuStreamGetCtx(Handle stream, Handle *context) { return *context = &the_context, OK; }
PUBLIC int cuStreamIsCapturing(Handle stream, int *status) { return *status = 0, OK; }
PUBLIC int cuEventCreate(Handle *event, unsigned flags) { return *event = new_handle(), OK; }
PUBLIC int cuEventElapsedTime(float *ms, Handle begin, Handle end) { return *ms = 1, OK; }

/* Kernels. */

PUBLIC int cuModuleGetFunction(char **function, Handle module, const char *name) {
  *function = malloc(strlen(name) + 1); /* a function is its name */
  strcpy(*function, name);
  return OK;
}
PUBLIC int cuModuleGetGlobal_v2(Handle *memory, size_t *bytes, Handle module, const char *name) {
  enum { ROOM = 65536 }; /* how large it is, only the GPU code says */
  if (memory)
    *memory = calloc(1, ROOM);
  if (bytes)
    *bytes = ROOM;
  return OK;
}
PUBLIC int cuModuleGetTexRef(Handle *made, Handle module, const char *name) {
  return *made = new_handle(), OK;
}
PUBLIC int cuModuleGetSurfRef(Handle *made, Handle module, const char *name) {
  return *made = new_handle(), OK;
}
PUBLIC int cuModuleLoadData(Handle *module, const void *image) {
  return *module = new_handle(), outcome_of("LOAD");
}
PUBLIC int cuModuleLoadDataEx(Handle *module, const void *image, unsigned n, Handle o, Handle v) {
  return cuModuleLoadData(module, image);
}
PUBLIC int cuModuleLoadFatBinary(Handle *module, const void *image) {
  return cuModuleLoadData(module, image);
}
PUBLIC int cuFuncGetAttribute(int *value, int attribute, Handle function) {
  switch (attribute) { /* CUfunction_attribute of cuda.h */
  case 0: *value = 1024; break;                              /* threads a block */
  case 4: *value = 32; break;                                /* registers a thread */
  case 5: case 6: *value = capability(0) * 10 + capability(1); break; /* what it was made for */
  case 8: *value = 49152; break;                             /* shared memory */
  default: *value = 0;
  }
  return OK;
}
PUBLIC int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, Handle f, int n, size_t s) {
  return *blocks = 2, OK;
}
PUBLIC int cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, Handle f, int n,
                                                                size_t s, unsigned flags) {
  return *blocks = 2, OK;
}

/* The bytes of each argument, in hex. How many there are and how large each is, only the kernel's
   declaration says, which its name carries: these are the most that there can be. An argument lies
   on the stack of who launches, as the list of them does, and ends where the next one begins. */
static void note_arguments(char *to, size_t room, void **arguments) {
  enum { MOST = 32, WINDOW = 160, NEAR = 1 << 20 };
  uintptr_t here = (uintptr_t)arguments, at[MOST];
  size_t used = 0;
  int count = 0;
  while (count < MOST && read_safely(at + count, arguments + count, sizeof *at) == sizeof *at &&
         at[count] - (here - NEAR) <= 2 * NEAR)
    count++;
  for (int i = 0; i < count && used + 2 * WINDOW + 8 < room; i++) {
    unsigned char bytes[WINDOW];
    uintptr_t end = at[i] + WINDOW;
    for (int j = 0; j < count; j++)
      if (at[j] > at[i] && at[j] < end)
        end = at[j];
    size_t there = read_safely(bytes, (void *)at[i], end - at[i]);
    used += (size_t)sprintf(to + used, "%s\"", i ? ", " : "");
    for (size_t j = 0; j < there; j++)
      used += (size_t)sprintf(to + used, "%02x", bytes[j]);
    to[used++] = '"';
  }
  to[used] = 0;
}

PUBLIC int cuLaunchKernel(const char *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                          unsigned by, unsigned bz, unsigned shared, Handle stream,
                          void **arguments, void **extra) {
  Launch launch = {function ? function : "?", {gx, gy, gz}, {bx, by, bz}, arguments};
  char shown[12000] = "";
  int came = outcome_of("LAUNCH"), done = 0;
  if (!came && !(gx && gy && gz && bx && by && bz))
    came = INVALID; /* as a real driver says of an empty grid */
  if (arguments)
    note_arguments(shown, sizeof shown, arguments);
  if (!came && arguments && number_setting("CARRY_OUT", 1))
    done = carry_out(&launch);
  note("\"what\": \"launch\", \"kernel\": \"%s\", \"grid\": [%u, %u, %u], \"block\": [%u, %u, %u], "
       "\"arguments\": [%s], \"came\": %d, \"carried_out\": %s",
       quoted(launch.name), gx, gy, gz, bx, by, bz, shown, came, done ? "true" : "false");
  return came;
}
