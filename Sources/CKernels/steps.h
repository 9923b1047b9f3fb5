// What depends on the step, the sequence and chance alone. Over flat rows `step` counts vectors; the
// step of a lane follows from its row.

// d = 1 at steps of the sequence that are multiples of the period, else 0.
//   operand 0 d (1); size 0 period
KERNEL(clock) {
  REAL *d = (REAL *)OPERAND(0);
  for (int64_t lane = 0; lane < MS_LANES; lane++) {
    int64_t row = step * context->rows + context->first_row + lane;
    d[lane] = (context->first_step + row / context->sequences) % SIZE(0) == 0;
  }
}

// d = 0 with probability p while training, else 1: one draw for each step of a sequence, as
// `dropout` draws.
//   operand 0 d (1); size 0 node; scalar 0 p
KERNEL(keep) {
  REAL *d = (REAL *)OPERAND(0);
  double limit = instruction->scalar[0] * 4294967296.0;
  for (int64_t lane = 0; lane < MS_LANES; lane++) {
    int64_t row = step * context->rows + context->first_row + lane;
    uint32_t words[4] = {(uint32_t)(row / context->sequences) << 12,
                         (uint32_t)(context->first_sequence + row % context->sequences), (uint32_t)context->update,
                         (uint32_t)(context->update >> 32) ^ (uint32_t)SIZE(0) << 20};
    ms_philox(words, context->random_key);
    d[lane] = !context->training || words[0] >= limit;
  }
}
