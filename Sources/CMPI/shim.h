#pragma once
#include <mpi.h>

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
