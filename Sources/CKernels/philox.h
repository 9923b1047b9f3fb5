// One block of Philox4x32-10 (Salmon et al. 2011): replaces the counter by four random words.
#pragma once
#include <stdint.h>

static inline void ms_philox(uint32_t counter[4], const uint32_t key[2]) {
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; round++) {
    uint64_t a = (uint64_t)counter[0] * 0xD2511F53u, b = (uint64_t)counter[2] * 0xCD9E8D57u;
    uint32_t next[4] = {(uint32_t)(b >> 32) ^ counter[1] ^ k0, (uint32_t)b,
                        (uint32_t)(a >> 32) ^ counter[3] ^ k1, (uint32_t)a};
    for (int i = 0; i < 4; i++) counter[i] = next[i];
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}
