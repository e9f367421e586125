/* What of cuBLAS, cuDNN and the like is more than nothing: handles that are there, a version, and
   sizes that are 0. The others are made by `making.py`: they tell of their call, and come to nothing. */

#include "made_up.h"

static int created(void **handle, const char *name) {
  static int something;
  note("\"what\": \"call\", \"name\": \"%s\"", name);
  *handle = &something;
  return OK;
}
#define CREATE(name) PUBLIC int name(void **handle) { return created(handle, #name); }
CREATE(cublasCreate_v2)
CREATE(cublasLtCreate)
CREATE(cudnnCreate)
CREATE(cudnnCreateTensorDescriptor)
CREATE(cudnnCreateFilterDescriptor)
CREATE(cudnnCreateConvolutionDescriptor)
CREATE(cudnnCreateActivationDescriptor)
CREATE(cudnnCreatePoolingDescriptor)
CREATE(cudnnCreateDropoutDescriptor)
CREATE(cusolverDnCreate)
CREATE(cusparseCreate)

PUBLIC size_t cudnnGetVersion(void) { return (size_t)number_setting("CUDNN", 7605); }

/* (…, size of the workspace) */
#define WORKSPACE(name)                                                                            \
  PUBLIC int name(void *h, void *a, void *b, void *c, void *d, int algorithm, size_t *size) {        \
    return *size = 0, OK;                                                                          \
  }
WORKSPACE(cudnnGetConvolutionForwardWorkspaceSize)
WORKSPACE(cudnnGetConvolutionBackwardDataWorkspaceSize)
WORKSPACE(cudnnGetConvolutionBackwardFilterWorkspaceSize)

/* (…, how many algorithms were asked for, how many there are, what they are): the first, 0. */
#define ALGORITHM(name)                                                                            \
  PUBLIC int name(void *h, void *a, void *b, void *c, void *d, int asked, int *count, int *found) {  \
    return *count = 1, found[0] = 0, found[1] = OK, OK;                                             \
  }
ALGORITHM(cudnnGetConvolutionForwardAlgorithm_v7)
ALGORITHM(cudnnGetConvolutionBackwardDataAlgorithm_v7)
ALGORITHM(cudnnGetConvolutionBackwardFilterAlgorithm_v7)
