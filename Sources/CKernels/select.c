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
