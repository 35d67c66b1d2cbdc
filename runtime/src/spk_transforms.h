/* SPDX-License-Identifier: Apache-2.0 */
/* The transforms between a format and the tensor: live rows and columns, two classes, prediction. docs/format.md,
 * section 2.1. All work in place, in the destination, and are safe on any bytes.
 */
#ifndef SPK_TRANSFORMS_H
#define SPK_TRANSFORMS_H

#include "spk_internal.h"

/* Each bitmap is most significant bit first, and null where there is none. */
typedef struct spk_live {
  const uint8_t *rows, *columns, *classes;
  uint32_t row;       /* elements in a row; all of the tensor without rows */
  uint32_t n_columns; /* bits in columns */
  uint32_t unit;      /* live elements in a unit of the classes */
  uint32_t n_units;   /* bits in classes */
} spk_live;

typedef struct spk_prediction {
  uint32_t kind;
  uint32_t distance, second; /* at least 1; 0 where nothing is predicted */
} spk_prediction;

typedef struct spk_transforms {
  spk_live live;
  spk_prediction prediction;
} spk_transforms;

/* A payload, of which only the first bytes may be in memory. */
typedef struct spk_payload {
  const uint8_t *begin; /* the header ends there */
  uint32_t size, at_hand;
} spk_payload;

/* Read the parameters of the transforms from where a header has them, p, for a tensor of n elements. n_bytes receives
 * how many bytes of the payload are bitmaps, alignment included. Those that are not at hand are not where t says.
 * Returns where the parameters end, or null where one breaks a rule. */
const uint8_t *spk_read_transforms(spk_transforms *t, unsigned flags, uint32_t n, const uint8_t *p,
                                   const spk_payload *payload, uint32_t *n_bytes);

/* Decode and validate tile number i of a view with one of those flags, and the bitmaps with it. */
spk_status spk_decode_transformed(const spk_view *view, uint32_t i, const spk_tile *tile, spk_pass *pass, int8_t *dst);
spk_status spk_validate_transformed(const spk_view *view, uint32_t i, const spk_tile *tile, spk_pass *pass);

/* What a format makes of the bytes of a tile, or of a class of one: the formats' own functions. */
spk_status spk_decode_part(uint8_t format, const spk_tile *part, int8_t *dst);
spk_status spk_validate_part(uint8_t format, const spk_tile *part);

/* Live elements from element begin of the tensor on and before element end. */
uint32_t spk_live_between(const spk_live *live, uint32_t begin, uint32_t end);

/* Spread n_live elements, which end where the n elements of a tile at dst do, over the tile; the others become 0. The
 * tile starts at element begin of the tensor and has so many live elements. */
void spk_live_expand(const spk_live *whole, int8_t *dst, uint32_t begin, uint32_t n, uint32_t n_live);

/* How many of n live elements, from number first on, are of the second class. */
uint32_t spk_second_class(const spk_live *live, uint32_t first, uint32_t n);

/* Put n live elements, from number first on, in order: those of the first class come first in x, those of the second
 * one, n_second in number, after them. */
void spk_mix_classes(const spk_live *live, int8_t *x, uint32_t first, uint32_t n, uint32_t n_second);

/* Make elements of the n residuals of a tile. */
void spk_restore(const spk_prediction *prediction, int8_t *dst, uint32_t n);

#if SPK_HELIUM || SPK_RVV
/* The same for distances of at least SPK_VECTOR, and more elements than the greater one. Vectors of RISC-V are as short
 * as they have to be. */
enum { SPK_VECTOR = SPK_HELIUM ? 16 : 4 };
void spk_restore_vectors(const spk_prediction *prediction, int8_t *dst, uint32_t n);
#endif

#endif
