// The hot loops, for Float and Double, at each instruction level, behind one table of functions.
//
// Activations lie batch-innermost: a vector of n features of one tile of sequences is n x MS_LANES
// numbers, the lanes next to each other. A kernel call is an instruction and a step: every operand
// is found at base + step * stride. Nothing here allocates, and lanes never mix except in sums
// over the batch (gradients of parameters).
#pragma once
#include <stdint.h>

#define MS_LANES 16
#define MS_TILE_DEPTH 32       // elements of a tile of the matrix unit
#define MS_FLAT_NEAR 131072    // elements of weights, and of values beside them, that are worked on
                               // while they stay in the second-level cache
#define MS_FLAT_FAR 262144     // elements that are too many for it
#define MS_FLAT_DEPTH 768      // most columns of a product that are summed before the next ones
#define MS_FLAT_CLASSES 384    // most classes whose gradients exist at a time
#define MS_READOUT_PART 64     // classes of a read-out whose exponentials are relative to one number
#define MS_READOUT_STATISTICS 4  // numbers that it keeps of a row and segment, beside one for each part
#define MS_READOUT_SEGMENTS 13   // of its classes, where gradients are summed by shards
#define MS_OPERANDS 13
#define MS_SIZES 6
#define MS_SCALARS 4
#define MS_GRADIENT_STEPS 32  // steps whose inputs stand in one panel of a weight gradient
#define MS_SOURCES 512        // most sources of a tree sum, whose number is a power of two
#define MS_GATHERED 4         // most writes of a history that share a pass over the later reads
#define MS_SHARDS 64          // most shards of a batch
#define MS_STATISTICS 7       // numbers that a loss counts

typedef struct { char *base; int64_t stride; } ms_operand;  // stride in bytes a step

// Ranks of a node that work on the outputs of all of their rows together, see readout_segments.h.
//
// Each has a room that all of them see and that it alone writes to, see readout_room.h.
typedef struct {
  int64_t parts;                // ranks, each with as many sequences
  int64_t index;                // of this one
  char *room;                   // of this one
  const int64_t *distances;     // bytes from what this rank shares to the same of each
  uint64_t *next;               // the team's serial number, and below it how often one was asked for
  uint64_t serial;
  int64_t phase, slots;         // from 1, and the segments that this rank has taken in it
  int32_t taker[2][MS_READOUT_SEGMENTS];  // of each segment's outputs and gradients: rank and slot
  int32_t (*meet)(void *team);  // waits for the others; 0 where they cannot go on together
  void *team;
} ms_joint;

// What all kernels of one batch share.
typedef struct {
  int64_t steps;           // of this batch
  int64_t first_step;      // of this batch within its sequences, which earlier batches began
  int64_t rows;            // of this batch
  int64_t first_row;       // of this tile
  int64_t lanes;           // of this tile in use, 1...MS_LANES
  int64_t sequences;       // of this batch; `rows`, but where flat vectors take the place of tiles
  int64_t tiles;           // that go through the steps together
  int64_t tile_stride;     // bytes from tile to tile
  const int32_t *tokens;   // (steps, rows)
  const float *features;   // (steps, rows, size)
  const int32_t *classes;  // (answers, rows)
  const float *targets;    // (answers, rows, outputs)
  const float *weights;    // (answers, rows)
  double loss_scale;       // of the gradient: 1 / sum of weights
  double *statistics;      // MS_STATISTICS numbers, of every shard: loss, weight, correct, true positives,
                           // false positives, false negatives, silent
  int64_t shards;          // by which gradients are summed, see shards.h; 0 where they are not
  int64_t parts;           // ranks whose flat rows these are, one after the other; 0 for this one alone
  ms_joint *joint;         // null where this rank is on its own
  int64_t first_sequence;  // of this batch within the whole one, of which others may have the rest
  int64_t training;        // whether dropout drops
  uint32_t random_key[2];  // of dropout masks
  uint64_t update;         // of dropout masks
} ms_context;

typedef struct ms_instruction ms_instruction;
typedef void ms_kernel(const ms_instruction *, const ms_context *, int64_t step);

struct ms_instruction {
  ms_kernel *run;
  ms_operand operand[MS_OPERANDS];
  int64_t size[MS_SIZES];
  double scalar[MS_SCALARS];
};

// One optimiser update over a flat range of parameters. Pointers are to the element type of the
// table, at any address; moments are null where the optimiser, as set, has none.
typedef struct {
  void *values, *gradients;
  void *first;                         // momentum; Adam: mean of gradients
  void *second;                        // mean of squared gradients
  void *third;                         // RMSprop, centred: mean of gradients
  int64_t count;
  double learning_rate, weight_decay;
  double beta1, beta2, epsilon;        // momentum is beta1; smoothing is beta2
  double correction1, correction2;     // Adam: 1 - beta^t
  double gradient_scale;               // from clipping, multiplied in
  int32_t nesterov;
  int32_t decoupled;                   // Adam: weight decay outside of the moments
} ms_update;

#include "kernel_list.h"

typedef struct {
  const char *level;   // baseline, avx2, avx512, amx
  int32_t scalar_size;
#define X(name) ms_kernel *name;
  MS_KERNELS(X)
#undef X
  double (*sum_of_squares)(const void *values, int64_t count);
  int32_t (*all_finite)(const void *values, int64_t count);
  void (*clamp)(void *values, int64_t count, double limit);
  void (*add_to)(void *destination, const void *source, int64_t count);
  void (*tree_sum)(void *const *sources, int64_t source_count, void *const *destinations,
                   int64_t destination_count, int64_t count);
  void (*approach)(void *mean, const void *values, int64_t count, double share);
  void (*sgd)(const ms_update *);
  void (*rmsprop)(const ms_update *);
  void (*adam)(const ms_update *);
  void (*shuffle)(void *destination, const void *source, int64_t count);  // see ms_shuffle
  void (*unshuffle)(void *destination, const void *source, int64_t count);
  double (*multiply_adds)(int64_t rounds, void *result);  // operations done, for the peak rate
} ms_kernels;

enum { MS_BASELINE = 0, MS_AVX2 = 1, MS_AVX512 = 2, MS_AMX = 3 };

// The highest level that this processor has.
int32_t ms_best_level(void);
// The table for a level and an element size of 4 or 8; a level that the processor lacks gives null.
// Doubles at MS_AMX are those of MS_AVX512.
const ms_kernels *ms_kernels_for(int32_t level, int32_t scalar_size);

// Bytes of a joint room for a read-out of `inputs` inputs to `classes` classes, for `vectors` vectors of
// rows of all ranks together.
int64_t ms_readout_bytes(int64_t vectors, int64_t classes, int64_t inputs, int32_t scalar_size);

// Sorts the bytes of `count` elements of `size` bytes by their place: all first bytes, all second
// bytes, ...; destination and source do not overlap.
void ms_shuffle(void *destination, const void *source, int64_t count, int32_t size);
// The inverse of ms_shuffle.
void ms_unshuffle(void *destination, const void *source, int64_t count, int32_t size);

// Whether some bytes are clearly more frequent than others, so that compressing them is worth while.
int32_t ms_is_uneven(const void *bytes, int64_t count);

// Takes numbers below the smallest normal one for 0 on this thread, and gives what
// `ms_restore_denormals` sets it back to. Arithmetic on such numbers is a hundred times slower, and
// the gradients of a net that has learnt its task are full of them.
uint32_t ms_flush_denormals(void);
void ms_restore_denormals(uint32_t before);

// Bytes that the program has from the C library, blocks with a mapping of their own included; 0
// where the library does not tell.
int64_t ms_heap_bytes(void);

// Lets the system begin to bring a part of an open file to the disk, and does not wait for it; does
// nothing where there is no such call.
void ms_start_writing(int32_t file, int64_t place, int64_t count);
