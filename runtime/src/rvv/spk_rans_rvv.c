/* SPDX-License-Identifier: Apache-2.0 */
/* rans on RISC-V vectors: the eight lanes of a block in eight elements of 16 bits, whatever the length of a vector.
 * docs/format.md, section 9.
 *
 * A row is an element of each lane. Each lane reads bytes of its own, so that no lane waits to know how many the others
 * take: where a lane is, is one more vector. What a byte or a position is checked for is no more than that it lies
 * inside; that the lanes end where they should says whether they went right.
 */
#include "../spk_internal.h"

#if SPK_RVV && !defined(SPK_WITHOUT_RANS)
#include "../spk_rans.h"
#include "spk_rvv.h"

enum {
  LANES = (int)SPK_RANS_LANES,
  OUTSIDE = UINT16_MAX /* where positions end up that lie behind the block, by saturation */
};

/* Two halfwords for each slot. The first one has in its upper byte the frequency of the slot's symbol, and in its lower
 * byte the slot's number among those of the symbol. The second one is what the symbol stands for. */
typedef struct tables {
  uint16_t gap[2 * SPK_RANS_SLOTS], value[2 * SPK_RANS_SLOTS];
} tables;

static void fill(uint16_t *slot, uint32_t frequency, uint32_t meaning) {
  SPK_NO_UNROLL
  for (uint32_t i = 0; i < frequency;) {
    const size_t vl = __riscv_vsetvl_e16m2(frequency - i);
    const vuint16m2_t step = __riscv_vadd_vx_u16m2(__riscv_vid_v_u16m2(vl), (uint16_t)(frequency << 8 | i), vl);
    const vuint16m2_t meanings = __riscv_vmv_v_x_u16m2((uint16_t)meaning, vl);
    __riscv_vsseg2e16_v_u16m2x2(slot + 2u * i, __riscv_vcreate_v_u16m2x2(step, meanings), vl);
    i += (uint32_t)vl;
  }
}

/* Returns false where there are no such tables. */
SPK_NOINLINE static bool build(const spk_rans_streams *s, tables *t) {
  uint8_t gap_buffer[SPK_RANS_MOST_DESCRIBED], *const value_buffer = (uint8_t *)t->gap; /* which is free until then */
  spk_description description = spk_rans_description(s);
  if (s->n_values > 1u) {
    const uint8_t *frequencies = spk_rans_value_frequencies(s, &description, value_buffer);
    if (!frequencies) return false;
    uint32_t slot = 0;
    for (uint32_t i = 0; i < s->n_values; i++) {
      const uint32_t frequency = frequencies[i];
      if (frequency > SPK_RANS_SLOTS - slot) return false;
      fill(t->value + 2u * slot, frequency, spk_lowest_value(&s->bins, i));
      slot += frequency;
    }
    if (slot != SPK_RANS_SLOTS) return false;
  }
  if (s->n_gaps > 1u) {
    const uint8_t *frequencies = spk_rans_gap_frequencies(s, &description, gap_buffer);
    if (!frequencies) return false;
    uint32_t slot = 0;
    for (uint32_t i = 0; i < s->n_gaps; i++) {
      const uint32_t frequency = frequencies[i];
      if (frequency > SPK_RANS_SLOTS - slot) return false;
      fill(t->gap + 2u * slot, frequency, spk_rans_gap(s, i));
      slot += frequency;
    }
    if (slot != SPK_RANS_SLOTS) return false;
  }
  return spk_description_ends(&description);
}

/* Where the lanes of a block are. */
typedef struct block {
  uint16_t x[LANES], offset[LANES]; /* states; next bytes */
  uint16_t position[LANES];         /* of the elements before: that of the last element of the block is OUTSIDE - 1 */
  const uint8_t *bytes;
  uint8_t *origin;   /* where position 0 would be */
  uint32_t readable; /* bytes */
} block;

/* One step of the first n lanes. Returns what their symbols stand for. careful: no byte from readable on is read. */
SPK_INLINE vuint16m1_t step(vuint16m1_t *x, vuint16m1_t *offset, const uint16_t *table, const block *b, bool careful,
                            size_t n) {
  const vuint16m1_t slot = __riscv_vand_vx_u16m1(*x, 255, n);
  const vuint16m1x2_t entry = __riscv_vluxseg2ei16_v_u16m1x2(table, __riscv_vsll_vx_u16m1(slot, 2, n), n);
  const vuint16m1_t both = __riscv_vget_v_u16m1x2_u16m1(entry, 0);
  const vuint16m1_t frequency = __riscv_vsrl_vx_u16m1(both, 8, n), number = __riscv_vand_vx_u16m1(both, 255, n);
  const vuint16m1_t next = __riscv_vmacc_vv_u16m1(number, frequency, __riscv_vsrl_vx_u16m1(*x, 8, n), n);
  /* States below 256 take a byte each. */
  const vbool16_t low = __riscv_vmsltu_vx_u16m1_b16(next, SPK_RANS_LOWEST, n);
  vbool16_t inside = low;
  if (careful) inside = __riscv_vmsltu_vx_u16m1_b16_mu(low, low, *offset, (uint16_t)b->readable, n);
  const vuint8mf2_t none = __riscv_vmv_v_x_u8mf2(0, n);
  const vuint8mf2_t byte = __riscv_vluxei16_v_u8mf2_mu(inside, none, b->bytes, *offset, n);
  const vuint16m1_t shifted = __riscv_vsll_vx_u16m1_mu(low, next, next, 8, n);
  *x = __riscv_vwaddu_wv_u16m1_tu(*x, shifted, byte, n);
  *offset = __riscv_vadd_vx_u16m1_tumu(low, *offset, *offset, 1, n);
  return __riscv_vget_v_u16m1x2_u16m1(entry, 1);
}

/* Rows first to end - 1 of a block, of n elements that are left there. careful: where this is inlined it is constant.
 */
SPK_INLINE void rows(block *b, const spk_rans_streams *s, const tables *t, uint32_t first, uint32_t n, bool careful) {
  const uint32_t gap_raw = s->gap_raw, value_raw = s->value_raw;
  const bool has_gaps = s->n_gaps > 1u, has_values = s->n_values > 1u;
  const uint8_t gap_mask = (uint8_t)((1u << gap_raw) - 1u), value_mask = (uint8_t)((1u << value_raw) - 1u);
  const uint16_t only_gap = (uint16_t)spk_rans_gap(s, 0), only_value = spk_lowest_value(&s->bins, 0);
  /* A row of gaps has gap_raw bytes. */
  const vuint8mf2_t bit = __riscv_vmul_vx_u8mf2(__riscv_vid_v_u8mf2(LANES), (uint8_t)gap_raw, LANES);
  const vuint8mf2_t gap_byte = __riscv_vsrl_vx_u8mf2(bit, 3, LANES), gap_shift = __riscv_vand_vx_u8mf2(bit, 7, LANES);
  const uint8_t *gap_bits = s->gap_bits + first * gap_raw;
  vuint16m1_t x = __riscv_vle16_v_u16m1(b->x, LANES), offset = __riscv_vle16_v_u16m1(b->offset, LANES);
  vuint16m1_t position = __riscv_vle16_v_u16m1(b->position, LANES);
  SPK_NO_UNROLL
  for (uint32_t bits = first * value_raw; n; bits += value_raw) {
    const size_t vl = careful ? spk_min_u32(n, LANES) : LANES;
    n -= (uint32_t)vl;
    vuint16m1_t gap = __riscv_vmv_v_x_u16m1(only_gap, vl), value = __riscv_vmv_v_x_u16m1(only_value, vl);
    if (has_gaps) gap = step(&x, &offset, t->gap, b, careful, vl);
    if (has_values) value = step(&x, &offset, t->value, b, careful, vl);
    if (gap_raw != 0) {
      const vuint8mf2_t raw = __riscv_vsrl_vv_u8mf2(__riscv_vluxei8_v_u8mf2(gap_bits, gap_byte, vl), gap_shift, vl);
      gap = __riscv_vwaddu_wv_u16m1(gap, __riscv_vand_vx_u8mf2(raw, gap_mask, vl), vl);
      gap_bits += gap_raw;
    }
    vuint8mf2_t low = __riscv_vncvt_x_x_w_u8mf2(value, vl);
    if (value_raw != 0) {
      const vuint8mf2_t raw = __riscv_vle8_v_u8mf2(s->value_bits + bits / 8u * LANES, vl);
      low = __riscv_vadd_vv_u8mf2(low, __riscv_vand_vx_u8mf2(__riscv_vsrl_vx_u8mf2(raw, bits % 8u, vl), value_mask, vl),
                                  vl);
    }
    position = __riscv_vsaddu_vv_u16m1_tu(position, position, gap, vl);
    const vbool16_t inside = __riscv_vmsne_vx_u16m1_b16(position, OUTSIDE, vl);
    __riscv_vsuxei16_v_u8mf2_m(inside, b->origin, position, low, vl);
  }
  __riscv_vse16_v_u16m1(b->x, x, LANES);
  __riscv_vse16_v_u16m1(b->offset, offset, LANES);
  __riscv_vse16_v_u16m1(b->position, position, LANES);
}

SPK_NOINLINE static void whole_rows(block *b, const spk_rans_streams *s, const tables *t, uint32_t first, uint32_t n) {
  rows(b, s, t, first, n, false);
}

SPK_NOINLINE static void careful_rows(block *b, const spk_rans_streams *s, const tables *t, uint32_t first,
                                      uint32_t n) {
  rows(b, s, t, first, n, true);
}

static uint32_t furthest(const block *b) {
  uint32_t most = 0;
  SPK_NO_VECTORS
  for (uint32_t lane = 0; lane < LANES; lane++) most = b->offset[lane] > most ? b->offset[lane] : most;
  return most;
}

static bool decode_block(spk_rans_streams *s, const tables *t, int8_t *dst, uint32_t length, const uint8_t *end) {
  const uint32_t n = spk_rans_elements(s->record);
  const uint32_t origin = OUTSIDE - 1u - length; /* one before the position of the first element */
  block b; /* not initialised as a whole: a vector of zeros for that would need stack */
  b.bytes = s->bytes;
  b.origin = (uint8_t *)((uintptr_t)dst - 1u - origin);
  /* A step takes a byte at most: as long as that cannot lead any lane out of the tile, nobody has to look. */
  b.readable = spk_min_u32((uint32_t)(end - s->bytes), UINT16_MAX);
  /* Lane i starts where lane i - 1 ends. */
  uint16_t offset_ends[LANES], position_ends[LANES];
  uint32_t offset = 0, stop = 0, furthest_end = 0;
  SPK_NO_VECTORS
  for (uint32_t lane = 0; lane < LANES; lane++) {
    b.x[lane] = (uint16_t)spk_load_u16(s->record + SPK_RANS_STATES + 2u * lane);
    b.offset[lane] = (uint16_t)offset;
    b.position[lane] = (uint16_t)(origin + stop);
    stop = spk_rans_end(s, lane, length);
    if (stop > furthest_end) furthest_end = stop;
    offset += spk_rans_size(s, lane);
    offset_ends[lane] = (uint16_t)offset;
    position_ends[lane] = (uint16_t)(origin + stop);
  }
  if (furthest_end > length || offset > (uint32_t)(s->bytes_end - s->bytes) || !spk_rans_has(s, n)) return false;

  const uint32_t steps = (s->n_gaps > 1u ? 1u : 0u) + (s->n_values > 1u ? 1u : 0u);
  uint32_t row = 0;
  for (;;) {
    const uint32_t most = furthest(&b);
    uint32_t safe = n / SPK_RANS_LANES - row;
    if (steps != 0) safe = spk_min_u32(safe, most < b.readable ? (b.readable - most) / steps : 0);
    if (safe == 0) break;
    whole_rows(&b, s, t, row, safe * SPK_RANS_LANES);
    row += safe;
  }
  careful_rows(&b, s, t, row, n - row * SPK_RANS_LANES);

  uint32_t wrong = 0;
  SPK_NO_VECTORS
  for (uint32_t lane = 0; lane < LANES; lane++) {
    wrong |= (uint32_t)b.x[lane] ^ SPK_RANS_LOWEST;
    wrong |= (uint32_t)b.offset[lane] ^ offset_ends[lane];
    wrong |= (uint32_t)b.position[lane] ^ position_ends[lane];
  }
  spk_rans_next(s, n, offset);
  return wrong == 0;
}

spk_status spk_rans_decode(const spk_tile *tile, int8_t *dst) {
  spk_rans_streams s;
  tables t;
  if (!spk_rans_open(tile, &s) || !build(&s, &t)) return SPK_ERROR_STREAM;
  memset(dst, 0, tile->n);
  const uint8_t *end = tile->data + tile->size;
  for (uint32_t left = tile->n; left;) {
    const uint32_t length = spk_min_u32(left, s.block_size);
    if (!decode_block(&s, &t, dst, length, end)) return SPK_ERROR_STREAM;
    dst += length;
    left -= length;
  }
  return SPK_OK;
}

#endif
