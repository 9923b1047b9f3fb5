// Compiles every kernel for one instruction level: once for float, once for double.
// The including file defines LEVEL, LEVEL_NAME, the target attribute and how many rows of a product
// keep their sums in its registers: FLOAT_ROWS, DOUBLE_ROWS; and whether it has registers for the
// sums of two vectors: FLOAT_PAIRS; and FLOAT_TILES where it has a matrix unit. Without DOUBLE_ROWS
// there are no doubles.
// Vectors never cross a call: every function that takes one is inlined, so their ABI does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

#define CONCATENATE_(a, b, c) a##_##b##_##c
#define CONCATENATE(a, b, c) CONCATENATE_(a, b, c)

#define REAL float
#define IS_FLOAT 1
#define LINEAR_ROWS FLOAT_ROWS
#define PAIRS FLOAT_PAIRS
#ifdef FLOAT_TILES
#define TILES 1
#else
#define TILES 0
#endif
#define NARROW_VECTORS (FLOAT_PAIRS ? 3 : 1)
#define NAME(n) CONCATENATE(n, LEVEL, float)
#include "kernels.h"
#undef REAL
#undef IS_FLOAT
#undef LINEAR_ROWS
#undef PAIRS
#undef TILES
#undef NARROW_VECTORS
#undef NAME

#ifdef DOUBLE_ROWS
#define REAL double
#define IS_FLOAT 0
#define LINEAR_ROWS DOUBLE_ROWS
#define PAIRS 0
#define TILES 0
#define NARROW_VECTORS 1
#define NAME(n) CONCATENATE(n, LEVEL, double)
#include "kernels.h"
#undef REAL
#undef IS_FLOAT
#undef LINEAR_ROWS
#undef PAIRS
#undef TILES
#undef NARROW_VECTORS
#undef NAME
#endif
