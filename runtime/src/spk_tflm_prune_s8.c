/* spk_tflm_prune_s8: bit by bit, for cores without Helium. docs/format.md, section 8. */
#include "spk_internal.h"

#if !SPK_HELIUM

/* The first n elements of a bitmap byte, over zeros: a zero then costs no store. Returns where the values go on. */
SPK_INLINE const int8_t *expand(uint32_t bits, size_t n, const int8_t *values, int8_t *dst) {
  for (size_t i = 0; i < n; i++, bits <<= 1) {
    if (bits & 0x80u) dst[i] = *values++;
  }
  return values;
}

spk_status spk_tflm_prune_s8(int8_t *dst, size_t n, const uint8_t *bitmap, size_t bitmap_size, const int8_t *values,
                             size_t n_values) {
  if (!dst || !bitmap || !values) return SPK_ERROR_ARGUMENT;
  if (bitmap_size < n / 8u + (n % 8u != 0)) return SPK_ERROR_STREAM;
  const int8_t *const end = values + n_values;
  memset(dst, 0, n);
  /* Four bytes take at most 32 values, so these need no look at their bits. */
  for (; n >= 32u && end - values >= 32; n -= 32u) {
    for (uint32_t bytes = 4; bytes; bytes--, dst += 8) values = expand(*bitmap++, 8, values, dst);
  }
  while (n) {
    const size_t length = n < 8u ? n : 8u;
    const uint32_t bits = *bitmap++;
    if (spk_count_bits(bits) > (size_t)(end - values)) return SPK_ERROR_STREAM;
    values = expand(bits, length, values, dst);
    dst += length;
    n -= length;
  }
  return SPK_OK;
}

#endif
