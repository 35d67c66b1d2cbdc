/* SPDX-License-Identifier: Apache-2.0 */
/* A tile of a blob with transforms: which elements its format has, and the steps from them to the tensor.
 * docs/format.md, section 2.1.
 */
#include "spk_transforms.h"

#ifndef SPK_WITHOUT_TRANSFORMS

enum { ROWS = 1, COLUMNS = 2, CLASSES = 4, MOST_QUARTERS = 4 };

/* The parameters in a header, and the bitmaps that they are about. p is null as soon as one breaks a rule. */
typedef struct parameters {
  const uint8_t *p, *end;
  const spk_payload *payload;
  uint32_t used; /* bytes of it, for bitmaps */
} parameters;

static void refuse_unless(parameters *from, bool condition) {
  if (!condition) from->p = NULL;
}

/* The next varint; what it is where it lies outside its limits does not matter. */
static uint32_t take(parameters *from, uint32_t least, uint32_t most) {
  uint32_t value = least;
  if (from->p) from->p = spk_read_varint(from->p, from->end, &value);
  refuse_unless(from, value >= least && value <= most);
  return from->p ? value : least;
}

/* The next bitmap. */
static const uint8_t *take_bits(parameters *from, uint32_t n_bits) {
  const uint32_t n_bytes = spk_ceil_div(n_bits, 8), left = from->payload->size - from->used;
  const uint8_t *const bits = from->payload->begin + spk_min_u32(from->used, from->payload->at_hand);
  if (n_bytes > left) from->p = NULL;
  from->used += spk_min_u32(n_bytes, left);
  return bits;
}

static void take_live(spk_live *live, parameters *from, uint32_t n) {
  const uint32_t present = take(from, 1, ROWS | COLUMNS | CLASSES);
  if (present & ROWS) {
    live->row = take(from, 1, n - 1u);
    refuse_unless(from, n % live->row == 0);
    live->rows = take_bits(from, n / live->row);
  }
  if (present & COLUMNS) {
    live->n_columns = take(from, 2, n);
    refuse_unless(from, live->row % live->n_columns == 0);
    live->columns = take_bits(from, live->n_columns);
  }
  if (present & CLASSES) {
    live->unit = take(from, 1, n);
    live->n_units = take(from, 2, n);
    refuse_unless(from, live->n_units <= n / live->unit);
    live->classes = take_bits(from, live->n_units);
  }
}

const uint8_t *spk_read_transforms(spk_transforms *t, unsigned flags, uint32_t n, const uint8_t *p,
                                   const spk_payload *payload, uint32_t *n_bytes) {
  static const spk_transforms none = {{NULL, NULL, NULL, 1, 1, 1, 1}, {0, 0, 0}};
  parameters from = {p, payload->begin, payload, 0};
  *t = none;
  *n_bytes = 0;
  if (n < 2u) return NULL;
  t->live.row = n;
  if (flags & SPK_FLAG_LIVE) take_live(&t->live, &from, n);
  if (flags & SPK_FLAG_PREDICTED) {
    t->prediction.kind = take(&from, 0, MOST_QUARTERS);
    t->prediction.distance = take(&from, 1, n - 1u);
    t->prediction.second = take(&from, 1, n - 1u);
  }
  *n_bytes = (from.used + 3u) & ~UINT32_C(3); /* a payload is a multiple of 4 long */
  return from.p;
}

/* The transforms of an opened blob. */
static bool transforms_of(const spk_view *view, spk_transforms *t) {
  const uint32_t header = 4u * view->blob[3];
  if (header < SPK_HEADER_SIZE || header > (uint32_t)(view->payload - view->blob)) return false;
  const uint8_t *p = view->blob + SPK_HEADER_SIZE, *const payload = view->blob + header;
  const uint32_t n_varints = view->n_dims + (view->flags & SPK_FLAG_TILED ? 1u : 0u);
  const uint32_t n_bitmaps = (uint32_t)(view->payload - payload);
  const spk_payload whole = {payload, n_bitmaps + view->payload_size, n_bitmaps};
  uint32_t value;
  for (uint32_t i = 0; i < n_varints && p; i++) p = spk_read_varint(p, payload, &value);
  return p && spk_read_transforms(t, view->flags, view->n_elements, p, &whole, &value);
}

/* What a tile has for its format: one part, or one for each class. */
typedef struct parts {
  spk_tile tile; /* all of them */
  spk_tile of_class[2];
  uint32_t begin, n;   /* elements of the tensor */
  uint32_t first_live; /* live elements before them */
} parts;

/* Go to tile number i, which has n_live live elements and begins with that element. */
static void go_to(spk_pass *pass, const spk_live *live, uint32_t i, uint32_t begin, uint32_t n_live) {
  if (i == pass->tile + 1u) {
    pass->first_live += pass->n_live;
  } else if (i + 1u == pass->tile) {
    pass->first_live -= n_live;
  } else {
    pass->first_live = spk_live_between(live, 0, begin);
  }
  pass->tile = i;
  pass->n_live = n_live;
}

static spk_status find_parts(const spk_view *view, const spk_live *live, uint32_t i, const spk_tile *whole,
                             spk_pass *pass, parts *found) {
  found->tile = *whole;
  spk_tile *const tile = &found->tile, *const parts_of = found->of_class;
  found->n = tile->n;
  found->begin = i * view->tile_size;
  tile->n = spk_live_between(live, found->begin, found->begin + found->n);
  if (tile->n > found->n) return SPK_ERROR_STREAM; /* where somebody changes the bitmaps meanwhile */
  go_to(pass, live, i, found->begin, tile->n);
  found->first_live = pass->first_live;
  const spk_tile none = {tile->data + tile->size, 0, 0};
  parts_of[0] = *tile;
  parts_of[1] = none;
  if (!live->classes || tile->n == 0) return SPK_OK;
  if (tile->size < 4u) return SPK_ERROR_STREAM;
  const uint32_t size = spk_load_u32(tile->data), left = tile->size - 4u;
  if (size % 4u != 0 || size > left) return SPK_ERROR_STREAM;
  parts_of[0].data += 4;
  parts_of[0].size = size;
  parts_of[1].data = parts_of[0].data + size;
  parts_of[1].size = left - size;
  parts_of[1].n = spk_second_class(live, found->first_live, tile->n);
  if (parts_of[1].n > tile->n) return SPK_ERROR_STREAM;
  parts_of[0].n -= parts_of[1].n;
  return SPK_OK;
}

spk_status spk_decode_transformed(const spk_view *view, uint32_t i, const spk_tile *tile, spk_pass *pass, int8_t *dst) {
  spk_transforms t;
  parts found;
  if (!transforms_of(view, &t)) return SPK_ERROR_HEADER;
  const spk_status status = find_parts(view, &t.live, i, tile, pass, &found);
  if (status != SPK_OK) return status;
  const uint32_t n_live = found.tile.n;
  int8_t *const values = dst + (found.n - n_live), *next = values;
  for (unsigned of = 0; of < 2; of++) {
    const spk_tile *const part = &found.of_class[of];
    const spk_status of_part = part->n ? spk_decode_part(view->format, part, next) : SPK_OK;
    if (of_part != SPK_OK) return of_part;
    next += part->n;
  }
  if (t.live.classes) spk_mix_classes(&t.live, values, found.first_live, n_live, found.of_class[1].n);
  if (n_live != found.n) spk_live_expand(&t.live, dst, found.begin, found.n, n_live);
  if (t.prediction.distance) spk_restore(&t.prediction, dst, found.n);
  return SPK_OK;
}

static bool ends(const uint8_t *bits, uint32_t n) { return !bits || spk_bitmap_ends(bits, n); }

spk_status spk_validate_transformed(const spk_view *view, uint32_t i, const spk_tile *tile, spk_pass *pass) {
  spk_transforms t;
  parts found;
  if (!transforms_of(view, &t)) return SPK_ERROR_HEADER;
  const spk_live *const live = &t.live;
  if (!ends(live->rows, view->n_elements / live->row) || !ends(live->columns, live->n_columns) ||
      !ends(live->classes, live->n_units)) {
    return SPK_ERROR_STREAM;
  }
  const spk_status status = find_parts(view, &t.live, i, tile, pass, &found);
  if (status != SPK_OK) return status;
  for (unsigned of = 0; of < 2; of++) {
    const spk_tile *const part = &found.of_class[of];
    const spk_status empty = part->size == 0 ? SPK_OK : SPK_ERROR_STREAM;
    const spk_status of_part = part->n ? spk_validate_part(view->format, part) : empty;
    if (of_part != SPK_OK) return of_part;
  }
  return SPK_OK;
}

#endif
