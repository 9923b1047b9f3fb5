#include <stddef.h>
#include "CKernels.h"
#include "readout_room.h"

extern const ms_kernels ms_table_baseline_float, ms_table_baseline_double;
#if defined(__x86_64__)
extern const ms_kernels ms_table_avx2_float, ms_table_avx2_double;
extern const ms_kernels ms_table_avx512_float, ms_table_avx512_double;
#endif

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
extern const ms_kernels ms_table_amx_float;
enum { GET_PERMISSION = 0x1022, REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };

// Whether the processor multiplies tiles of bfloat16 and the system lets this process do so, for
// which it has to be asked once.
static int has_tiles(void) {
  unsigned a, b, c, d, bfloat16_tiles = 1u << 22, tiles = 1u << 24;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & bfloat16_tiles) || !(d & tiles)) return 0;
  unsigned long granted = 0;
  if (syscall(SYS_arch_prctl, GET_PERMISSION, &granted) == 0 && granted >> TILE_DATA & 1) return 1;
  return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}
#else
static int has_tiles(void) { return 0; }
#endif

static int32_t best_level(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
    return has_tiles() ? MS_AMX : MS_AVX512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return MS_AVX2;
#endif
  return MS_BASELINE;
}

int32_t ms_best_level(void) {
  static _Atomic int32_t known = -1;
  if (known < 0) known = best_level();
  return known;
}

const ms_kernels *ms_kernels_for(int32_t level, int32_t scalar_size) {
  if (level > ms_best_level()) return NULL;
  int is_float = scalar_size == 4;
#if defined(__x86_64__) && defined(__linux__)
  if (level == MS_AMX && is_float) return &ms_table_amx_float;
  if (level == MS_AMX) return &ms_table_avx512_double;
#endif
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

int64_t ms_readout_bytes(int64_t vectors, int64_t classes, int64_t inputs, int32_t scalar_size) {
  return ms_readout_room_of(vectors, classes, inputs, scalar_size).end;
}
