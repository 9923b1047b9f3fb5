// Compiles every kernel for one instruction level: once for float, once for double.
// The including file defines LEVEL, LEVEL_NAME and the target attribute.
#define CONCATENATE_(a, b, c) a##_##b##_##c
#define CONCATENATE(a, b, c) CONCATENATE_(a, b, c)

#define REAL float
#define IS_FLOAT 1
#define NAME(n) CONCATENATE(n, LEVEL, float)
#include "kernels.h"
#undef REAL
#undef IS_FLOAT
#undef NAME

#define REAL double
#define IS_FLOAT 0
#define NAME(n) CONCATENATE(n, LEVEL, double)
#include "kernels.h"
#undef REAL
#undef IS_FLOAT
#undef NAME
