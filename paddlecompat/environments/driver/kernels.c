/* The few kernels that are carried out on the host: they fill, cast, copy and add, so that tensors can
   be made and read, and they select, as the comments of Paddle's select_impl.cu.h say that its three
   kernels do. What a kernel is for, and the types of its elements, its mangled name says. */

#include "made_up.h"

#include <string.h>

/* What stands behind `part` in the name; NULL where it has no such part. */
static const char *behind(const Launch *launch, const char *part) {
  const char *found = strstr(launch->name, part);
  return found ? found + strlen(part) : NULL;
}

/* The bytes of a type by its code in mangled names; 0: not one of C's. */
static size_t size_of(char code) {
  switch (code) {
  case 'b': case 'a': case 'c': case 'h': return 1;
  case 's': case 't': return 2;
  case 'i': case 'j': case 'f': return 4;
  case 'l': case 'm': case 'x': case 'y': case 'd': return 8;
  default: return 0;
  }
}

#define ARGUMENT(type, number) (*(type *)launch->arguments[number])

static double number(const char *at, char code) {
  switch (code) {
  case 'b': case 'h': return *(const uint8_t *)at;
  case 'a': case 'c': return *(const int8_t *)at;
  case 's': return *(const int16_t *)at;
  case 'i': return *(const int32_t *)at;
  case 'l': case 'x': return (double)*(const int64_t *)at;
  case 'f': return *(const float *)at;
  default: return *(const double *)at;
  }
}

static void put(char *at, char code, double value) {
  switch (code) {
  case 'b': *(uint8_t *)at = value != 0; break;
  case 'h': *(uint8_t *)at = (uint8_t)value; break;
  case 'a': case 'c': *(int8_t *)at = (int8_t)value; break;
  case 's': *(int16_t *)at = (int16_t)value; break;
  case 'i': *(int32_t *)at = (int32_t)value; break;
  case 'l': case 'x': *(int64_t *)at = (int64_t)value; break;
  case 'f': *(float *)at = (float)value; break;
  default: *(double *)at = value;
  }
}

static int fill(char *to, const char *value, size_t size, int64_t count) {
  for (int64_t i = 0; size && i < count; i++)
    memcpy(to + (size_t)i * size, value, size);
  return size != 0;
}

static int cast(char *to, char code, const char *from, char from_code, int64_t count) {
  size_t size = size_of(code), from_size = size_of(from_code);
  if (!size || !from_size)
    return 0;
  for (int64_t i = 0; i < count; i++)
    if (code == from_code) /* not by way of a double, which has 53 bits */
      memcpy(to + (size_t)i * size, from + (size_t)i * size, size);
    else
      put(to + (size_t)i * size, code, number(from + (size_t)i * from_size, from_code));
  return 1;
}

static int add(char *to, char *const inputs[2], char code, int64_t count) {
  const char *a = inputs[0], *b = inputs[1];
  size_t size = size_of(code);
  for (int64_t i = 0; size && i < count; i++) {
    size_t at = (size_t)i * size;
    if (code == 'l' || code == 'x')
      *(int64_t *)(to + at) = *(const int64_t *)(a + at) + *(const int64_t *)(b + at);
    else
      put(to + at, code, number(a + at, code) + number(b + at, code));
  }
  return size != 0;
}

/* 2.2: Eigen's own kernel has all it needs in one argument; the others have (input, count, output)
   and (inputs, output, count, functor). */
static int elementwise_of_old(const Launch *launch) {
  const char *type;
  if ((type = behind(launch, "18scalar_constant_opI"))) {
    struct {
      char *to;
      int64_t count;
      void *device;
      char value[8];
    } *all = launch->arguments[0];
    return fill(all->to, all->value, size_of(*type), all->count);
  }
  if ((type = behind(launch, "CastCUDAKernelI")))
    return cast(ARGUMENT(char *, 2), type[1], ARGUMENT(char *, 0), type[0], ARGUMENT(int64_t, 1));
  if (behind(launch, "ElementVectorizeKernelI") && (type = behind(launch, "AddFunctorI")))
    return add(ARGUMENT(char *, 1), launch->arguments[0], *type,
               ARGUMENT(int, 2));
  return 0;
}

/* From 2.3 on: (inputs, output, count, …, functor), in 2.4 with 64 bits for the count. */
static int elementwise(const Launch *launch) {
  int wide = behind(launch, "lliT0_") || behind(launch, "xxiT0_");
  int64_t count = wide ? ARGUMENT(int64_t, 2) : ARGUMENT(int, 2);
  const char *type;
  if ((type = behind(launch, "FullFuctorI")))
    return fill(ARGUMENT(char *, 1), launch->arguments[wide ? 5 : 4], size_of(*type), count);
  if ((type = behind(launch, "CastFuctorI")))
    return cast(ARGUMENT(char *, 1), type[1], ARGUMENT(char *, 0), type[0], count);
  if ((type = behind(launch, "AddFunctorI")))
    return add(ARGUMENT(char *, 1), launch->arguments[0], *type, count);
  return 0;
}

/* (inputs, output, whether each is broadcast, count, …): only where nothing is. */
static int broadcast(const Launch *launch) {
  const char *type = behind(launch, "AddFunctorI");
  const int *spread = launch->arguments[2];
  if (!type || spread[0] || spread[1])
    return 0;
  return add(ARGUMENT(char *, 1), launch->arguments[0], *type, ARGUMENT(int, 3));
}

static int is_set(const char *at, size_t size) {
  static const char nothing[8];
  return memcmp(at, nothing, size) != 0;
}

/* (mask, counts, numel, …): how many each block of 4 a thread has, behind a 0. */
static int count_blocks(const Launch *launch) {
  size_t size = size_of(*behind(launch, "GetBlockCountKernelI"));
  const char *mask = ARGUMENT(char *, 0);
  int64_t *counts = ARGUMENT(int64_t *, 1), numel = ARGUMENT(int64_t, 2);
  int64_t each = 4 * (int64_t)launch->block[0];
  counts[0] = 0;
  for (int64_t i = 0; size && i < numel; i++) {
    if (i % each == 0)
      counts[i / each + 1] = 0;
    counts[i / each + 1] += is_set(mask + (size_t)i * size, size);
  }
  return size != 0;
}

/* (counts, sums, how many, …): the sum of all up to each. */
static int sum_up(const Launch *launch) {
  const int64_t *counts = ARGUMENT(int64_t *, 0);
  int64_t *sums = ARGUMENT(int64_t *, 1), sum = 0;
  for (int i = 0; i < ARGUMENT(int, 2); i++)
    sums[i] = sum += counts[i];
  return 1;
}

/* (output, mask, input, sums, functor, numel, …, rank): by the functor what is selected, its indices,
   or, for the gradient, each selected one back in its place and 0 elsewhere. */
static int select_all(const Launch *launch) {
  const char *type = behind(launch, "SelectKernelI");
  size_t of_mask = size_of(type[0]), size = size_of(type[1]);
  char *out = ARGUMENT(char *, 0);
  const char *mask = ARGUMENT(char *, 1), *in = ARGUMENT(char *, 2);
  const int64_t *strides = launch->arguments[4];
  int64_t numel = ARGUMENT(int64_t, 5), found = 0;
  int back = behind(launch, "MaskedSelectGradFunctor") != NULL, rank = ARGUMENT(int, 7);
  if (!of_mask || !size)
    return 0;
  for (int64_t i = 0; i < numel; i++) {
    int wanted = is_set(mask + (size_t)i * of_mask, of_mask);
    if (back && !wanted)
      memset(out + (size_t)i * size, 0, size);
    if (!wanted)
      continue;
    if (back)
      memcpy(out + (size_t)i * size, in + (size_t)found * size, size);
    else if (behind(launch, "MaskedSelectFunctor"))
      memcpy(out + (size_t)found * size, in + (size_t)i * size, size);
    else
      for (int64_t axis = 0, rest = i; axis < rank; rest %= strides[axis++])
        ((int64_t *)out)[found * rank + axis] = rest / strides[axis];
    found++;
  }
  return 1;
}

int carry_out(const Launch *launch) {
  const char *skipped = text_setting("SKIP", NULL);
  if (skipped && behind(launch, skipped))
    return 0;
  if (behind(launch, "GetBlockCountKernelI"))
    return count_blocks(launch);
  if (behind(launch, "CumsumOneBlockI"))
    return sum_up(launch);
  if (behind(launch, "12SelectKernelI"))
    return select_all(launch);
  if (behind(launch, "VectorizedElementwiseKernelI"))
    return elementwise(launch);
  if (behind(launch, "VectorizedBroadcastKernelI"))
    return broadcast(launch);
  return elementwise_of_old(launch);
}
