// The bytes of elements sorted by their place: all first bytes, all second bytes, ... Sixteen elements at
// a time: a plane of bytes is a shift and a narrowing.

#if IS_FLOAT
#define BITS uint32_t
#else
#define BITS uint64_t
#endif
typedef uint8_t NAME(bytes) __attribute__((vector_size(16), aligned(1)));
typedef BITS NAME(words) __attribute__((vector_size(16 * sizeof(BITS)), aligned(1)));

static void NAME(shuffle)(void *destination, const void *source, int64_t count) {
  uint8_t *restrict d = destination;
  const uint8_t *restrict s = source;
  int64_t size = sizeof(BITS), i = 0;
  for (; i + 16 <= count; i += 16) {
    NAME(words) x = *(const NAME(words) *)(s + i * size);
#pragma clang loop unroll(full)
    for (int64_t b = 0; b < size; b++)
      *(NAME(bytes) *)(d + b * count + i) = __builtin_convertvector(x >> (BITS)(8 * b), NAME(bytes));
  }
  for (; i < count; i++)
    for (int64_t b = 0; b < size; b++) d[b * count + i] = s[i * size + b];
}

static void NAME(unshuffle)(void *destination, const void *source, int64_t count) {
  uint8_t *restrict d = destination;
  const uint8_t *restrict s = source;
  int64_t size = sizeof(BITS), i = 0;
  for (; i + 16 <= count; i += 16) {
    NAME(words) x = {0};
#pragma clang loop unroll(full)
    for (int64_t b = 0; b < size; b++)
      x |= __builtin_convertvector(*(const NAME(bytes) *)(s + b * count + i), NAME(words))
           << (BITS)(8 * b);
    *(NAME(words) *)(d + i * size) = x;
  }
  for (; i < count; i++)
    for (int64_t b = 0; b < size; b++) d[i * size + b] = s[b * count + i];
}

#undef BITS
