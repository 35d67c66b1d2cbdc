/* SPDX-License-Identifier: Apache-2.0 */
/* The streams of a bitmap tile, and how values of fewer than 8 bits are unpacked. docs/format.md, section 8. */
#ifndef SPK_BITMAP_H
#define SPK_BITMAP_H

#include "spk_internal.h"

typedef struct spk_bitmap_streams {
  uint32_t width;        /* bits of a value, 1 to 8 */
  const uint8_t *bitmap; /* null: every element has a value */
  const uint8_t *rest;   /* values of 8 bits, or patches */
  uint32_t rest_size;    /* bytes, alignment included */
  /* Only for values of fewer than 8 bits */
  uint32_t n;
  uint32_t start, jump; /* what is added to every value, and once more to the negative ones */
  const uint8_t *planes;
  uint32_t n_patches, patch_bits; /* of a patch, for how much it adds */
} spk_bitmap_streams;

/* All values of fewer than 8 bits as bytes, before any patch. */
void spk_bitmap_unpack(uint8_t *values, const spk_bitmap_streams *s);

/* How a plane adds to values: its field times scale, and jump where the upper bit of the field is set. The first plane
 * adds to start. No sum exceeds a byte, since open checked what the largest ones come to. */
typedef struct spk_bitmap_plane {
  uint32_t start, scale, jump;
} spk_bitmap_plane;

/* Bytes of a plane with its alignment. */
SPK_INLINE uint32_t spk_bitmap_plane_size(uint32_t n, uint32_t bits) {
  return (spk_ceil_div(n, 8u / bits) + 3u) & ~UINT32_C(3);
}

/* Calls unpack_<bits>(values, n, fields, is_first, plane) for each plane. */
#define SPK_BITMAP_UNPACK(values, s, unpack_4, unpack_2, unpack_1)           \
  do {                                                                       \
    const uint32_t width = (s)->width, jump = (s)->jump, n = (s)->n;         \
    const uint8_t *fields = (s)->planes;                                     \
    spk_bitmap_plane plane = {(s)->start, 1, 0};                             \
    if ((width & 4u) != 0) {                                                 \
      if (width == 4u) plane.jump = jump;                                    \
      unpack_4(values, n, fields, true, &plane);                             \
      fields += spk_bitmap_plane_size(n, 4);                                 \
      plane.scale = 16;                                                      \
    }                                                                        \
    if ((width & 2u) != 0) {                                                 \
      if ((width & 1u) == 0) plane.jump = jump;                              \
      unpack_2(values, n, fields, (width & 4u) == 0, &plane);                \
      fields += spk_bitmap_plane_size(n, 2);                                 \
      plane.scale *= 4u;                                                     \
    }                                                                        \
    plane.jump = jump;                                                       \
    if ((width & 1u) != 0) unpack_1(values, n, fields, width == 1u, &plane); \
  } while (0)

/* Defines spk_bitmap_unpack with one function for each number of bits. All are made of an inline function,
 * unpack(values, n, fields, bits, is_first, plane). 0 means false: bench/m55/unchecked.h. */
#define SPK_BITMAP_UNPACK_WITH(unpack)                                                                 \
  SPK_NOINLINE static void unpack_4(uint8_t *values, uint32_t n, const uint8_t *fields, bool is_first, \
                                    const spk_bitmap_plane *plane) {                                   \
    (void)is_first;                                                                                    \
    unpack(values, n, fields, 4, true, plane);                                                         \
  }                                                                                                    \
  SPK_NOINLINE static void unpack_2(uint8_t *values, uint32_t n, const uint8_t *fields, bool is_first, \
                                    const spk_bitmap_plane *plane) {                                   \
    if (is_first) {                                                                                    \
      unpack(values, n, fields, 2, true, plane);                                                       \
    } else {                                                                                           \
      unpack(values, n, fields, 2, 0, plane);                                                          \
    }                                                                                                  \
  }                                                                                                    \
  SPK_NOINLINE static void unpack_1(uint8_t *values, uint32_t n, const uint8_t *fields, bool is_first, \
                                    const spk_bitmap_plane *plane) {                                   \
    if (is_first) {                                                                                    \
      unpack(values, n, fields, 1, true, plane);                                                       \
    } else {                                                                                           \
      unpack(values, n, fields, 1, 0, plane);                                                          \
    }                                                                                                  \
  }                                                                                                    \
  void spk_bitmap_unpack(uint8_t *values, const spk_bitmap_streams *s) {                               \
    SPK_BITMAP_UNPACK(values, s, unpack_4, unpack_2, unpack_1);                                        \
  }

#endif
