#include <stddef.h>
#include "CKernels.h"

extern const ms_kernels ms_table_baseline_float, ms_table_baseline_double;
#if defined(__x86_64__)
extern const ms_kernels ms_table_avx2_float, ms_table_avx2_double;
extern const ms_kernels ms_table_avx512_float, ms_table_avx512_double;
#endif

int32_t ms_best_level(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
    return MS_AVX512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return MS_AVX2;
#endif
  return MS_BASELINE;
}

const ms_kernels *ms_kernels_for(int32_t level, int32_t scalar_size) {
  if (level > ms_best_level()) return NULL;
  int is_float = scalar_size == 4;
#if defined(__x86_64__)
  if (level == MS_AVX512) return is_float ? &ms_table_avx512_float : &ms_table_avx512_double;
  if (level == MS_AVX2) return is_float ? &ms_table_avx2_float : &ms_table_avx2_double;
#endif
  return is_float ? &ms_table_baseline_float : &ms_table_baseline_double;
}

uint32_t ms_flush_denormals(void) {
#if defined(__x86_64__)
  uint32_t before = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(before | 0x8040);  // flush to zero, denormals are zero
  return before;
#elif defined(__aarch64__)
  uint64_t before;
  __asm__ volatile("mrs %0, fpcr" : "=r"(before));
  __asm__ volatile("msr fpcr, %0" : : "r"(before | (1u << 24)));
  return (uint32_t)before;
#else
  return 0;
#endif
}

void ms_restore_denormals(uint32_t before) {
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr(before);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)before));
#else
  (void)before;
#endif
}
