#include "CTestSupport.h"
#include <errno.h>
#include <stdlib.h>

static _Thread_local struct {
  int counts;
  ms_allocations sums;
} state;

void ms_start_counting_allocations(void) {
  state.sums = (ms_allocations){0, 0, 0};
  state.counts = 1;
}

ms_allocations ms_stop_counting_allocations(void) {
  state.counts = 0;
  return state.sums;
}

ms_allocations ms_counted_allocations(void) { return state.sums; }

void ms_reset_peak_of_allocations(void) { state.sums.peak = state.sums.bytes; }

#if defined(__GLIBC__) && !__has_feature(address_sanitizer)
#include <malloc.h>

// The linker takes these in place of the library's, for everything in the program. The address
// sanitizer puts its own there.

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

int32_t ms_can_count_allocations(void) { return 1; }

static void *given(void *memory) {
  if (state.counts && memory) {
    state.sums.allocations++;
    state.sums.bytes += (int64_t)malloc_usable_size(memory);
    if (state.sums.bytes > state.sums.peak) state.sums.peak = state.sums.bytes;
  }
  return memory;
}

static void taken(void *memory) {
  if (state.counts && memory) state.sums.bytes -= (int64_t)malloc_usable_size(memory);
}

void *malloc(size_t size) { return given(__libc_malloc(size)); }
void *calloc(size_t count, size_t size) { return given(__libc_calloc(count, size)); }

void *realloc(void *memory, size_t size) {
  int64_t before = state.counts && memory ? (int64_t)malloc_usable_size(memory) : 0;
  void *moved = __libc_realloc(memory, size);
  if (moved || size == 0) state.sums.bytes -= before;
  return given(moved);
}

void *memalign(size_t alignment, size_t size) { return given(__libc_memalign(alignment, size)); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
  *memory = memalign(alignment, size);
  return *memory ? 0 : ENOMEM;
}

void free(void *memory) {
  taken(memory);
  __libc_free(memory);
}
#else
int32_t ms_can_count_allocations(void) { return 0; }
#endif
