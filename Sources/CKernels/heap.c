#include <stdlib.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif
#include "CKernels.h"

int64_t ms_heap_bytes(void) {
#if defined(__GLIBC__)
  struct mallinfo2 information = mallinfo2();
  return (int64_t)information.uordblks + (int64_t)information.hblkhd;
#else
  return 0;
#endif
}
