/* NVML: what is asked of a driver before CUDA is opened. libnvidia-ml.so.1, on Windows nvml.dll. */

#include "made_up.h"

#include <stdio.h>

typedef void *Device;
typedef struct {
  unsigned long long total, free, used;
} Memory;

PUBLIC int nvmlInit_v2(void) { return (int)number_setting("NVML", OK); }
PUBLIC int nvmlInitWithFlags(unsigned flags) { return nvmlInit_v2(); }
PUBLIC int nvmlShutdown(void) { return OK; }
PUBLIC int nvmlDeviceGetCount_v2(unsigned *count) { return *count = 1, OK; }
PUBLIC int nvmlDeviceGetHandleByIndex_v2(unsigned number, Device *device) {
  return *device = (Device)(uintptr_t)(0x1000 + number), OK;
}
PUBLIC int nvmlDeviceGetCudaComputeCapability(Device device, int *major, int *minor) {
  sscanf(text_setting("CAPABILITY", "7.5"), "%d.%d", major, minor);
  return OK;
}
PUBLIC int nvmlSystemGetCudaDriverVersion_v2(int *version) {
  return *version = (int)number_setting("CUDA", 12020), OK;
}
PUBLIC int nvmlSystemGetCudaDriverVersion(int *version) {
  return nvmlSystemGetCudaDriverVersion_v2(version);
}
PUBLIC int nvmlDeviceGetName(Device device, char *name, unsigned bytes) {
  snprintf(name, bytes, "%s", text_setting("CARD", "Made-up card"));
  return OK;
}
PUBLIC int nvmlDeviceGetUUID(Device device, char *id, unsigned bytes) {
  snprintf(id, bytes, "GPU-00000000-0000-0000-0000-000000000000");
  return OK;
}
PUBLIC int nvmlSystemGetDriverVersion(char *version, unsigned bytes) {
  snprintf(version, bytes, "%s", text_setting("DRIVER", "535.104.05"));
  return OK;
}
PUBLIC int nvmlDeviceGetMemoryInfo(Device device, Memory *memory) {
  memory->total = (unsigned long long)number_setting("MEMORY", 4096) << 20;
  memory->free = (unsigned long long)number_setting("FREE", 3072) << 20;
  memory->used = memory->total - memory->free;
  return OK;
}
PUBLIC int nvmlDeviceGetDeviceHandleFromMigDeviceHandle(Device mig, Device *device) {
  enum { INVALID_ARGUMENT = 2 };
  return INVALID_ARGUMENT; /* it is no part of a device */
}
PUBLIC const char *nvmlErrorString(int error) { return "an error of the made-up driver"; }
