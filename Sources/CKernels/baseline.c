#include "CKernels.h"
#include <math.h>
#include <string.h>
#define LEVEL baseline
#define LEVEL_NAME "baseline"
#include "level.h"
