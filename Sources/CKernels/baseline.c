#include "CKernels.h"
#include <float.h>
#include <math.h>
#include <string.h>
#include "philox.h"
#include "readout_room.h"
#define LEVEL baseline
#define LEVEL_NAME "baseline"
#define FLOAT_ROWS 3
#define FLOAT_PAIRS 0
#define DOUBLE_ROWS 1
#include "level.h"
