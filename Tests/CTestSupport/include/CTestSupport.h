#pragma once
#include <stdint.h>

// What a thread has asked the C library's heap for since it began to count.
typedef struct {
  int64_t allocations;  // calls that gave memory
  int64_t bytes;        // given and not yet taken back
  int64_t peak;         // the most that `bytes` has been
} ms_allocations;

// Whether allocations can be counted here: with glibc, where a program may bring its own malloc.
int32_t ms_can_count_allocations(void);
void ms_start_counting_allocations(void);
ms_allocations ms_stop_counting_allocations(void);
// So far.
ms_allocations ms_counted_allocations(void);
// Makes the peak what is held now.
void ms_reset_peak_of_allocations(void);
