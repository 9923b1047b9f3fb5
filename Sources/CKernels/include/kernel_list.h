// Every kernel that an instruction can name.
#pragma once
#define MS_KERNELS(X) X(fill)
