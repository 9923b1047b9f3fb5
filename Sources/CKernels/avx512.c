#include "CKernels.h"
#include <float.h>
#include <math.h>
#include <string.h>
#include "philox.h"
#include "readout_room.h"
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,fma,avx2"))), apply_to = function)
#define LEVEL avx512
#define LEVEL_NAME "avx512"
#define FLOAT_ROWS 14
#define FLOAT_PAIRS 1
#define DOUBLE_ROWS 12
#include "level.h"
#pragma clang attribute pop
#endif
