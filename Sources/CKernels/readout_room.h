// What stands in the room where a rank lets others see its share of a read-out, in bytes.
//
// First which segments the rank has taken; then its rows and those of the others, with their classes
// and weights; then the statistics and exponentials of segments that it has taken, and their shares of
// the gradient of x.
#pragma once
#include "CKernels.h"

// What is done for a segment, in two phases.
enum { OUTPUTS, GRADIENTS };

// The first part of segment s of the classes: segments become smaller, so that who is done first does not
// wait for long.
static inline int64_t ms_readout_part(int64_t s, int64_t classes) {
  static const int64_t start[MS_READOUT_SEGMENTS + 1] = {0,  16,  32,  48,  64,  80,  96,
                                                        103, 110, 117, 121, 124, 126, 128};
  return (classes + MS_READOUT_PART - 1) / MS_READOUT_PART * start[s] / 128;
}

typedef struct {
  int64_t classes, weights, x, outputs, shares;  // from the start of the room
  int64_t row_statistics, exponentials;  // bytes of a vector's statistics, and of all of them
  int64_t output, share;                 // bytes of a segment's
  int64_t end;
} ms_readout_room;

static inline ms_readout_room ms_readout_room_of(int64_t vectors, int64_t classes, int64_t inputs,
                                                 int64_t scalar_size) {
  const int64_t lanes = MS_LANES * scalar_size;
  int64_t most = 0;
  for (int64_t s = 0; s < MS_READOUT_SEGMENTS; s++) {
    int64_t parts = ms_readout_part(s + 1, classes) - ms_readout_part(s, classes);
    if (parts > most) most = parts;
  }
  ms_readout_room room;
  room.classes = 2 * MS_READOUT_SEGMENTS * (int64_t)sizeof(int64_t);
  room.weights = room.classes + vectors * MS_LANES * (int64_t)sizeof(int32_t);
  room.x = room.weights + vectors * MS_LANES * (int64_t)sizeof(float);
  room.outputs = room.x + vectors * inputs * lanes;
  room.row_statistics = (MS_READOUT_STATISTICS + most) * lanes;
  room.exponentials = vectors * room.row_statistics;
  room.output = room.exponentials + vectors * most * MS_READOUT_PART * lanes;
  room.shares = room.outputs + MS_READOUT_SEGMENTS * room.output;
  room.share = vectors * inputs * lanes;
  // Who moves lanes reads up to a vector more.
  room.end = room.shares + MS_READOUT_SEGMENTS * room.share + lanes;
  return room;
}
