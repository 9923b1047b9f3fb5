#include "CKernels.h"
#include <float.h>
#include <math.h>
#include <string.h>
#include "philox.h"
#include "readout_room.h"
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define LEVEL avx2
#define LEVEL_NAME "avx2"
#define FLOAT_ROWS 6
#define FLOAT_PAIRS 0
#define DOUBLE_ROWS 3
#include "level.h"
#pragma clang attribute pop
#endif
