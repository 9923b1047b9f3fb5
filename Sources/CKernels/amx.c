#include "CKernels.h"
#include <float.h>
#include <math.h>
#include <string.h>
#include "philox.h"
#include "readout_room.h"
#if defined(__x86_64__) && defined(__linux__)
#pragma clang attribute push(__attribute__((target("amx-tile,amx-bf16,avx512f,avx512vl,avx512dq,avx512bw,fma,avx2"))), apply_to = function)
// Floats only: doubles have no use for the matrix unit.
#define LEVEL amx
#define LEVEL_NAME "amx"
#define FLOAT_ROWS 14
#define FLOAT_PAIRS 1
#define FLOAT_TILES 1
#include "level.h"
#pragma clang attribute pop
#endif
