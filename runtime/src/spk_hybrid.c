/* hybrid: groups of equidistant elements, the remainder in dcsr. docs/format.md, section 7. */
#include "spk_internal.h"

enum { CONTINUES = 255 }; /* a distance byte that is not the last one */

SPK_INLINE spk_status walk(const spk_tile *tile, int8_t *dst, bool write) {
  spk_reader reader = {tile, 0};
  const uint8_t *header = spk_take(&reader, 8);
  if (!header) return SPK_ERROR_STREAM;
  const uint32_t n_classes = header[0], first_stride = header[1], code_bits = header[2];
  if (first_stride == 0 || (code_bits != 4u && code_bits != 8u)) return SPK_ERROR_STREAM;
  const uint8_t *classes = spk_take(&reader, 4u * n_classes);
  if (!classes) return SPK_ERROR_STREAM;

  uint64_t n_values = 0, n_codes = 0; /* bytes; at most 255 classes of 2^24 groups of 255 */
  for (uint32_t c = 0; c < n_classes; c++) {
    const uint32_t record = spk_load_u32(classes + 4u * c), n_groups = record >> 8;
    if ((record & 0xFFu) == 0) return SPK_ERROR_STREAM;
    n_values += (uint64_t)n_groups * (record & 0xFFu);
    n_codes += code_bits == 8u ? n_groups : spk_ceil_div(n_groups, 2);
  }
  if (n_values > tile->size || n_codes > tile->size) return SPK_ERROR_STREAM;
  const uint8_t *values = spk_take(&reader, (uint32_t)n_values);
  if (!values) return SPK_ERROR_STREAM;
  const uint8_t *codes = spk_take(&reader, (uint32_t)n_codes);
  if (!codes) return SPK_ERROR_STREAM;
  const uint8_t *distances = spk_take(&reader, spk_load_u32(header + 4));
  if (!distances) return SPK_ERROR_STREAM;
  const uint8_t *const end = distances + spk_load_u32(header + 4);
  const spk_tile remainder = {tile->data + reader.pos, spk_left(&reader), tile->n};

  if (write) memset(dst, 0, tile->n);
  for (uint32_t c = 0; c < n_classes; c++) {
    const uint32_t record = spk_load_u32(classes + 4u * c), size = record & 0xFFu, n_groups = record >> 8;
    uint32_t start = 0; /* start <= n */
    for (uint32_t g = 0; g < n_groups; g++) {
      uint32_t distance = 0, byte;
      do {
        if (distances == end) return SPK_ERROR_STREAM;
        byte = *distances++;
        distance += byte;
      } while (byte == CONTINUES);
      const uint32_t code = code_bits == 8u ? codes[g] : codes[g / 2u] >> (g % 2u == 0 ? 4 : 0) & 15u;
      const uint32_t stride = first_stride + code;
      if (distance > tile->n - start) return SPK_ERROR_STREAM;
      start += distance;
      if ((size - 1u) * stride >= tile->n - start) return SPK_ERROR_STREAM;
      if (write) {
        int8_t *slot = dst + start;
        for (uint32_t i = 0; i < size; i++) slot[i * stride] = (int8_t)values[i];
      }
      values += size;
    }
    codes += code_bits == 8u ? n_groups : spk_ceil_div(n_groups, 2);
  }
  if (distances != end) return SPK_ERROR_STREAM;
  return write ? spk_dcsr_scatter(&remainder, dst) : spk_dcsr_validate(&remainder);
}

spk_status spk_hybrid_decode(const spk_tile *tile, int8_t *dst) { return walk(tile, dst, true); }

spk_status spk_hybrid_validate(const spk_tile *tile) { return walk(tile, NULL, false); }
