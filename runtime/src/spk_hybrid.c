/* hybrid: groups of equidistant elements, the remainder in dcsr. docs/format.md, section 7. */
#include "spk_internal.h"

enum { CONTINUES = 255 }; /* a distance byte that is not the last one of its distance */

/* Where the next group is read from. */
typedef struct cursor {
  const uint8_t *values, *codes, *distances, *distances_end;
} cursor;

/* The groups of one class. Out of line, so that its loop keeps its variables in registers. */
static SPK_NOINLINE bool walk_class(cursor *at, uint32_t record, uint32_t first_stride, bool wide, uint32_t n,
                                    int8_t *dst, bool write) {
  const uint32_t size = record & 0xFFu;
  const uint8_t *values = at->values, *codes = at->codes, *distances = at->distances;
  const uint8_t *const end = at->distances_end;
  uint32_t start = 0, pair = 0; /* start <= n */
  for (uint32_t g = 0; g < record >> 8; g++) {
    uint32_t byte;
    do {
      if (distances == end) return false;
      byte = *distances++;
      if (byte > n - start) return false;
      start += byte;
    } while (byte == CONTINUES);

    uint32_t stride = first_stride;
    if (wide) {
      stride += *codes++;
    } else {
      pair = g % 2u == 0 ? *codes++ : pair << 4;
      stride += pair >> 4 & 15u;
    }
    if ((size - 1u) * stride >= n - start) return false;
    if (write) {
      int8_t *slot = dst + start;
      uint32_t left = size;
      do {
        *slot = (int8_t)*values++;
        slot += stride;
      } while (--left);
    }
  }
  at->values = values;
  at->codes = codes;
  at->distances = distances;
  return true;
}

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
  cursor at;
  at.values = spk_take(&reader, (uint32_t)n_values);
  if (!at.values) return SPK_ERROR_STREAM;
  at.codes = spk_take(&reader, (uint32_t)n_codes);
  if (!at.codes) return SPK_ERROR_STREAM;
  at.distances = spk_take(&reader, spk_load_u32(header + 4));
  if (!at.distances) return SPK_ERROR_STREAM;
  at.distances_end = at.distances + spk_load_u32(header + 4);
  const spk_tile remainder = {tile->data + reader.pos, spk_left(&reader), tile->n};

  if (write) memset(dst, 0, tile->n);
  for (uint32_t c = 0; c < n_classes; c++) {
    const uint32_t record = spk_load_u32(classes + 4u * c);
    if (!walk_class(&at, record, first_stride, code_bits == 8u, tile->n, dst, write)) return SPK_ERROR_STREAM;
  }
  if (at.distances != at.distances_end) return SPK_ERROR_STREAM;
  return write ? spk_dcsr_scatter(&remainder, dst) : spk_dcsr_validate(&remainder);
}

spk_status spk_hybrid_decode(const spk_tile *tile, int8_t *dst) { return walk(tile, dst, true); }

spk_status spk_hybrid_validate(const spk_tile *tile) { return walk(tile, NULL, false); }
