/* SPDX-License-Identifier: Apache-2.0 */
/* What the decoders share: unaligned loads, a bounds-checked walk over a tile's streams, and the contract that every
 * format implements. Not part of the public interface.
 */
#ifndef SPK_INTERNAL_H
#define SPK_INTERNAL_H

#include <stdbool.h>
#include <string.h>

#include "spk.h"
#include "spk_arch.h"

#if defined(__GNUC__)
#define SPK_INLINE static inline __attribute__((always_inline))
#define SPK_NOINLINE __attribute__((noinline))
#define SPK_KEEP(x) __asm__("" : "+r"(x)) /* compute it once, here */
#else
#define SPK_INLINE static inline
#define SPK_NOINLINE
#define SPK_KEEP(x)
#endif

/* In front of a loop: how many times it is unrolled. SPK_NO_UNROLL: it is faster rolled, or not worth more code. */
#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 8)
#define SPK_PRAGMA(text) _Pragma(#text)
#define SPK_UNROLL(times) SPK_PRAGMA(GCC unroll times)
#else
#define SPK_UNROLL(times)
#endif
#define SPK_NO_UNROLL SPK_UNROLL(1)

/* The fixed part of a blob's header, which the varints follow, and where in it the CRC-32 lies. */
enum { SPK_HEADER_SIZE = 12, SPK_HEADER_CRC = 8 };

/* Flags of a blob whose tiles take more than their format: spk_transforms.h. */
#define SPK_TRANSFORMED (SPK_FLAG_LIVE | SPK_FLAG_PREDICTED)

/* One tile as a format sees it. The offset of a stream is relative to data, whose alignment is not known. */
typedef struct spk_tile {
  const uint8_t *data;
  uint32_t size; /* bytes */
  uint32_t n;    /* elements to decode */
} spk_tile;

/* The contract of a format: spk_<format>_decode writes tile->n elements at dst; spk_<format>_validate makes the same
 * checks and the stricter ones that decoding does not need, and writes nothing. Both are safe on any bytes. */
#define SPK_DECLARE_FORMAT(name, NAME, id)                           \
  spk_status spk_##name##_decode(const spk_tile *tile, int8_t *dst); \
  spk_status spk_##name##_validate(const spk_tile *tile);
SPK_FORMATS(SPK_DECLARE_FORMAT)
#undef SPK_DECLARE_FORMAT

/* Whether anything expands bitmaps. */
#if defined(SPK_WITHOUT_BITMAP) && defined(SPK_WITHOUT_HUFFMAN) && defined(SPK_WITHOUT_TRANSFORMS) && \
    defined(SPK_WITHOUT_TFLM_PRUNE)
#define SPK_EXPANDS_BITMAPS 0
#else
#define SPK_EXPANDS_BITMAPS 1
#endif

/* n elements from a bitmap of them, most significant bit first, and the values that are set in it, of which there may
 * be n_values. Values may lie at the end of dst: then no element may be written before its value, and all in front of
 * it, are read. Returns where the values that were taken end, or null where there are too few. */
const int8_t *spk_expand_bitmap(int8_t *dst, size_t n, const uint8_t *bitmap, const int8_t *values, size_t n_values);

/* CRC-32 as zlib computes it; start with crc = 0, or go on from a previous result. */
uint32_t spk_crc32(uint32_t crc, const uint8_t *data, size_t size);

/* The varint at p: LEB128, below 2^32, in its shortest form. Returns where it ends, or null where there is none before
 * end. */
const uint8_t *spk_read_varint(const uint8_t *p, const uint8_t *end, uint32_t *value);

/* Make a view that no function takes, so that whoever does not look at the status of spk_open cannot decode the tensor
 * that the view was of before. */
SPK_INLINE void spk_clear_view(spk_view *view) { memset(view, 0, sizeof *view); }

/* spk_open where of the blob only the header and at_hand bytes after it are in memory. Where its bitmaps are more, the
 * payload of the view is wrong. */
spk_status spk_open_header(spk_view *view, const uint8_t *p, uint32_t blob_size, uint32_t at_hand);

/* Find tile number i of an opened blob. */
spk_status spk_find_tile(const spk_view *view, uint32_t i, spk_tile *tile);

/* Whether a tile of a payload may have bytes [begin, end) of it. */
SPK_INLINE bool spk_is_tile(const spk_view *view, uint32_t begin, uint32_t end) {
  return begin % 4u == 0 && end % 4u == 0 && begin <= end && end <= view->payload_size;
}

/* The tile that was visited last, and how many live elements lie before it and in it: those of its neighbours need no
 * second count, so that all tiles one after the other take linear time. docs/format.md, section 2.1. */
typedef struct spk_pass {
  uint32_t tile, first_live, n_live;
} spk_pass;

/* Before the first tile, whichever that is. */
#define SPK_NO_TILE_YET {UINT32_MAX / 2u, 0, 0}

/* Decode and validate tile number i of a blob, wherever its bytes lie. */
spk_status spk_decode_found(const spk_view *view, uint32_t i, const spk_tile *tile, spk_pass *pass, int8_t *dst);
spk_status spk_validate_found(const spk_view *view, uint32_t i, const spk_tile *tile, spk_pass *pass);

/* Whether n bytes at dst, and the bytes from begin to end, have one in common. */
bool spk_overlaps(const void *begin, const void *end, const void *dst, uint32_t n);

SPK_INLINE uint32_t spk_load_u16(const uint8_t *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8; }

SPK_INLINE uint32_t spk_load_u32(const uint8_t *p) { return spk_load_u16(p) | spk_load_u16(p + 2) << 16; }

SPK_INLINE uint32_t spk_load_u32_be(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

SPK_INLINE void spk_store_u32(uint8_t *p, uint32_t word) {
#if SPK_UNALIGNED
  __builtin_memcpy(p, &word, sizeof word); /* GCC would store four bytes */
#else
  p[0] = (uint8_t)word;
  p[1] = (uint8_t)(word >> 8);
  p[2] = (uint8_t)(word >> 16);
  p[3] = (uint8_t)(word >> 24);
#endif
}

/* word << by, for the low byte of by, which is at most 31: what the instruction looks at, which compilers do not use.
 */
SPK_INLINE uint32_t spk_shift_left(uint32_t word, uint32_t by) {
#if SPK_THUMB2
  __asm__("lsl.w %0, %0, %1" : "+r"(word) : "r"(by));
  return word;
#else
  return word << (by & 31u);
#endif
}

SPK_INLINE uint32_t spk_min_u32(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* a / b, rounded up; no overflow */
SPK_INLINE uint32_t spk_ceil_div(uint32_t a, uint32_t b) { return a / b + (a % b != 0); }

/* Bits set in a byte. */
SPK_INLINE uint32_t spk_count_bits(uint32_t byte) {
  byte -= byte >> 1 & 0x55u;
  byte = (byte & 0x33u) + (byte >> 2 & 0x33u);
  return (byte + (byte >> 4)) & 15u;
}

/* Whether the bits behind the last of n elements of a bitmap are 0. */
SPK_INLINE bool spk_bitmap_ends(const uint8_t *bitmap, uint32_t n) {
  return n % 8u == 0 || (bitmap[n / 8u] & (0xFFu >> n % 8u)) == 0;
}

/* Bits set in size bytes of a bitmap. */
SPK_INLINE uint32_t spk_bitmap_count(const uint8_t *bitmap, uint32_t size) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < size; i++) count += spk_count_bits(bitmap[i]);
  return count;
}

/* Walks the streams of a tile. pos <= tile->size holds always. */
typedef struct spk_walk {
  const spk_tile *tile;
  uint32_t pos;
} spk_walk;

/* The next stream, size bytes long, or null when the tile ends before it does. A size of 0 gives a valid pointer. */
SPK_INLINE const uint8_t *spk_take(spk_walk *reader, uint32_t size) {
  const uint32_t left = reader->tile->size - reader->pos;
  const uint8_t *stream = reader->tile->data + reader->pos;
  if (size > left) return NULL;
  reader->pos += spk_min_u32((size + 3u) & ~UINT32_C(3), left);
  return stream;
}

/* The same for a stream that the next one follows without alignment, unless spk_align is called in between. */
SPK_INLINE const uint8_t *spk_take_close(spk_walk *reader, uint32_t size) {
  const uint8_t *stream = reader->tile->data + reader->pos;
  if (size > reader->tile->size - reader->pos) return NULL;
  reader->pos += size;
  return stream;
}

SPK_INLINE void spk_align(spk_walk *reader) {
  reader->pos = spk_min_u32((reader->pos + 3u) & ~UINT32_C(3), reader->tile->size);
}

/* Bytes from the start of the next stream to the end of the tile. */
SPK_INLINE uint32_t spk_left(const spk_walk *reader) { return reader->tile->size - reader->pos; }

/* Whether a last stream of used bytes ends with the tile, alignment aside, when it had left bytes to use. */
SPK_INLINE bool spk_ends(uint32_t used, uint32_t left) { return used <= left && left - used < 4u; }

#endif
