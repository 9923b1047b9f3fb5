#pragma once
#include <mpi.h>
#include <stdint.h>

// MPI leaves the kind of its constants open; Open MPI makes them casting
// macros, which Swift cannot import. Each is re-exported here as a function.
static inline MPI_Comm memsweep_comm_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Comm memsweep_comm_null(void) { return MPI_COMM_NULL; }
static inline MPI_Datatype memsweep_float(void) { return MPI_FLOAT; }
static inline MPI_Datatype memsweep_double(void) { return MPI_DOUBLE; }
static inline MPI_Datatype memsweep_byte(void) { return MPI_BYTE; }
static inline MPI_Op memsweep_sum(void) { return MPI_SUM; }
static inline void *memsweep_in_place(void) { return MPI_IN_PLACE; }
static inline MPI_Request memsweep_request_null(void) { return MPI_REQUEST_NULL; }
static inline MPI_Errhandler memsweep_errors_return(void) { return MPI_ERRORS_RETURN; }
static inline MPI_Datatype memsweep_uint16(void) { return MPI_UINT16_T; }
static inline MPI_Info memsweep_info_null(void) { return MPI_INFO_NULL; }

// Adds numbers of 16 bits, the upper halves of floats, rounding to nearest, ties to even.
static void memsweep_add_bfloat16(void *source, void *destination, int *count, MPI_Datatype *type) {
  const uint16_t *s = (const uint16_t *)source;
  uint16_t *d = (uint16_t *)destination;
  (void)type;
  for (int i = 0; i < *count; i++) {
    union { uint32_t bits; float number; } a = {(uint32_t)s[i] << 16}, b = {(uint32_t)d[i] << 16};
    a.number += b.number;
    // A sum that is not a number keeps a bit that says so.
    d[i] = (uint16_t)(a.number != a.number
                          ? a.bits >> 16 | 0x40
                          : (a.bits + 0x7fff + (a.bits >> 16 & 1)) >> 16);
  }
}

// The sum of such numbers as an operation of MPI, made at its first use.
static inline MPI_Op memsweep_bfloat16_sum(void) {
  static MPI_Op sum = MPI_OP_NULL;
  if (sum == MPI_OP_NULL) MPI_Op_create(memsweep_add_bfloat16, 1, &sum);
  return sum;
}
