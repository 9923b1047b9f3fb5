// Exponential, logarithm, softplus, tanh and sigmoid of a vector of lanes.
//
// For float they are arithmetic only, at most 4e-7 off; for double they are the C library's, lane
// by lane, since double exists to check equations, not to be fast.

#if IS_FLOAT
typedef int32_t NAME(integers) __attribute__((vector_size(MS_LANES * 4), aligned(4)));

// e^x = 2^n e^r with n = round(x / ln 2) and |r| <= ln 2 / 2, e^r by its Taylor series to r^7
// (remainder below 6e-9). x is clamped to [-87, 88].
static inline __attribute__((always_inline)) V NAME(exp_lanes)(V x) {
  x = SELECT(x < -87, (V){0} - 87, x);
  x = SELECT(x > 88, (V){0} + 88, x);
  V n = (x * 1.44269504f + 12582912.0f) - 12582912.0f;
  V r = x - n * 0.693359375f + n * 2.12194440e-4f;
  V p = r * (1 / 5040.f) + (1 / 720.f);
  p = p * r + (1 / 120.f);
  p = p * r + (1 / 24.f);
  p = p * r + (1 / 6.f);
  p = p * r + 0.5f;
  p = p * r + 1;
  p = p * r + 1;
  NAME(integers) exponent = (__builtin_convertvector(n, NAME(integers)) + 127) << 23;
  return p * (V)exponent;
}

// log x = e ln 2 + log m with x = 2^e m and m in [1/sqrt 2, sqrt 2], log m = 2 artanh s by its Taylor
// series to s^9 with s = (m - 1) / (m + 1) (remainder below 3e-9). Numbers below the smallest normal
// one count as that.
static inline __attribute__((always_inline)) V NAME(log_lanes)(V x) {
  x = SELECT(x < FLT_MIN, (V){0} + FLT_MIN, x);
  NAME(integers) bits = (NAME(integers))x;
  NAME(integers) exponent = (bits - 0x3f3504f3) >> 23;
  V m = (V)(bits - (exponent << 23)), e = __builtin_convertvector(exponent, V);
  V s = (m - 1) / (m + 1), z = s * s;
  V p = z * (2 / 9.f) + (2 / 7.f);
  p = p * z + (2 / 5.f);
  p = p * z + (2 / 3.f);
  p = p * z + 2;
  // x - x is 0, or not a number where x is none.
  return e * 0.693359375f + (s * p - e * 2.12194440e-4f) + (x - x);
}

// softplus x = log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), the latter as 2 artanh s by its Taylor
// series to s^15 with s = e^-|x| / (2 + e^-|x|) <= 1/3 (remainder below 2e-9 of it).
static inline __attribute__((always_inline)) V NAME(softplus_lanes)(V x) {
  V e = NAME(exp_lanes)(SELECT(x > 0, -x, x));
  V s = e / (e + 2), z = s * s;
  V p = z * (2 / 15.f) + (2 / 13.f);
  p = p * z + (2 / 11.f);
  p = p * z + (2 / 9.f);
  p = p * z + (2 / 7.f);
  p = p * z + (2 / 5.f);
  p = p * z + (2 / 3.f);
  p = p * z + 2;
  return SELECT(x > 0, x, (V){0}) + s * p;
}

// scale tanh(s x). tanh z = z P(z^2) / Q(z^2) on [-9, 9] is a fit of degrees 4 and 4 by iteratively
// reweighted least squares of the relative error (2.2e-8); with rounding at most 4e-7 off. s is a
// constant, and its powers go into the coefficients.
static inline __attribute__((always_inline)) V NAME(scaled_tanh)(V x, float s, float scale) {
  float s2 = s * s, s4 = s2 * s2, s6 = s4 * s2, s8 = s4 * s4;
  x = SELECT(x < -9 / s, (V){0} - 9 / s, x);
  x = SELECT(x > 9 / s, (V){0} + 9 / s, x);
  V y = x * x;
  V p = y * (1.3317620783936945e-8f * s8) + 2.0582445358741097e-5f * s6;
  p = p * y + 0.0034939730539917946f * s4;
  p = p * y + 0.13379667699337006f * s2;
  p = p * y + 1;
  V q = y * (7.76142769609578e-7f * s8) + 0.00032829909469000995f * s6;
  q = q * y + 0.02587084099650383f * s4;
  q = q * y + 0.46712982654571533f * s2;
  q = q * y + 1;
  return (s * scale * x) * p / q;
}
static inline __attribute__((always_inline)) V NAME(tanh_lanes)(V x) {
  return NAME(scaled_tanh)(x, 1, 1);
}
// sigmoid x = (1 + tanh(x / 2)) / 2.
static inline __attribute__((always_inline)) V NAME(sigmoid_lanes)(V x) {
  return NAME(scaled_tanh)(x, 0.5f, 0.5f) + 0.5f;
}
#else
static inline __attribute__((always_inline)) V NAME(exp_lanes)(V x) {
  for (int i = 0; i < MS_LANES; i++) x[i] = exp(x[i]);
  return x;
}
static inline __attribute__((always_inline)) V NAME(log_lanes)(V x) {
  for (int i = 0; i < MS_LANES; i++) x[i] = log(x[i] < DBL_MIN ? DBL_MIN : x[i]);
  return x;
}
static inline __attribute__((always_inline)) V NAME(softplus_lanes)(V x) {
  for (int i = 0; i < MS_LANES; i++)
    x[i] = (x[i] > 0 ? x[i] : 0) + log1p(exp(x[i] > 0 ? -x[i] : x[i]));
  return x;
}
static inline __attribute__((always_inline)) V NAME(tanh_lanes)(V x) {
  for (int i = 0; i < MS_LANES; i++) x[i] = tanh(x[i]);
  return x;
}
static inline __attribute__((always_inline)) V NAME(sigmoid_lanes)(V x) {
  for (int i = 0; i < MS_LANES; i++) x[i] = 1 / (1 + exp(-x[i]));
  return x;
}
#endif
