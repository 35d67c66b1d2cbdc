/* SPDX-License-Identifier: Apache-2.0 */
/* rans on Helium: the eight lanes of a block in the eight 16-bit lanes of a vector. docs/format.md, section 9.
 *
 * A row is an element of each lane. Each lane reads bytes of its own, so that no lane waits to know how many the others
 * take: where a lane is, is one more vector. What a byte or a position is checked for is no more than that it lies
 * inside; that the lanes end where they should says whether they went right.
 */
#include "../spk_internal.h"

#if SPK_HELIUM && !defined(SPK_WITHOUT_RANS)
#include "../spk_rans.h"
#include "spk_mve.h"

/* A step: upper byte the frequency of the slot's symbol, lower byte the slot's number among those of the symbol. */
typedef struct tables {
  uint16_t gap_step[SPK_RANS_SLOTS], value_step[SPK_RANS_SLOTS];
  uint16_t gap[SPK_RANS_SLOTS];
  uint8_t value[SPK_RANS_SLOTS];
} tables;

/* The slots of a symbol: the first eight, and so on, each eight by increment more. Returns where they end. */
SPK_INLINE uint16_t *fill(uint16_t *slot, uint32_t frequency, uint16x8_t eight, uint16_t increment) {
  uint16_t *next = slot;
  for (int32_t left = (int32_t)frequency; left > 0; left -= 8) {
    vstrhq_p_u16(next, eight, vctp16q((uint32_t)left));
    eight = vaddq_n_u16(eight, increment);
    next += 8;
  }
  return slot + frequency;
}

static uint16_t *fill_step(uint16_t *slot, uint32_t frequency) {
  return fill(slot, frequency, vaddq_n_u16(vidupq_n_u16(0, 1), (uint16_t)(frequency << 8)), 8);
}

/* Returns false where there are no such tables. */
SPK_NOINLINE static bool build(const spk_rans_streams *s, tables *t) {
  uint8_t gap_buffer[SPK_RANS_MOST_DESCRIBED], *const value_buffer =
                                                   (uint8_t *)t->gap_step; /* which is free until then */
  spk_description description = spk_rans_description(s);
  if (s->n_values > 1u) {
    const uint8_t *frequencies = spk_rans_value_frequencies(s, &description, value_buffer);
    if (!frequencies) return false;
    uint16_t *step = t->value_step;
    uint8_t *value = t->value;
    uint32_t room = SPK_RANS_SLOTS;
    for (uint32_t i = 0; i < s->n_values; i++) {
      const uint32_t frequency = frequencies[i];
      if (frequency > room) return false;
      room -= frequency;
      const uint8x16_t meaning = vdupq_n_u8(spk_lowest_value(&s->bins, i));
      uint8_t *next = value;
      for (int32_t left = (int32_t)frequency; left > 0; left -= 16) {
        vstrbq_p_u8(next, meaning, vctp8q((uint32_t)left));
        next += 16;
      }
      value += frequency;
      step = fill_step(step, frequency);
    }
    if (room != 0) return false;
  }
  if (s->n_gaps > 1u) {
    const uint8_t *frequencies = spk_rans_gap_frequencies(s, &description, gap_buffer);
    if (!frequencies) return false;
    uint16_t *step = t->gap_step, *gap = t->gap;
    uint32_t room = SPK_RANS_SLOTS;
    for (uint32_t i = 0; i < s->n_gaps; i++) {
      const uint32_t frequency = frequencies[i];
      if (frequency > room) return false;
      room -= frequency;
      gap = fill(gap, frequency, vdupq_n_u16((uint16_t)spk_rans_gap(s, i)), 0);
      step = fill_step(step, frequency);
    }
    if (room != 0) return false;
  }
  return spk_description_ends(&description);
}

/* Where positions end up that lie behind the block, by saturation. */
enum { OUTSIDE = UINT16_MAX };

/* A block, and where its lanes are. */
typedef struct block {
  uint16x8_t x, offset; /* states; next bytes */
  uint16x8_t position;  /* of the elements before: that of the last element of the block is OUTSIDE - 1 */
  uint16x8_t lowest;    /* state, in each lane */
  const uint8_t *bytes, *value_bits, *gap_bits;
  uint8_t *origin; /* where position 0 would be */
} block;

/* Compilers spread the intrinsics of one predicate over several blocks and keep it in memory in between, hence the
 * assembly. It changes the predicate register, for which Clang has no name: it is for fast_rows alone, which is not
 * inlined, has no other predicate, and whose callers hold none across the call. */

/* States below 256 take a byte each. */
SPK_INLINE void take_bytes(block *b) {
  uint16x8_t byte;
  __asm__ volatile(
      "vpttt.u16 hi, %q[lowest], %q[x]\n\t"
      "vldrbt.u16 %q[byte], [%[bytes], %q[offset]]\n\t"
      "vaddt.i16 %q[offset], %q[offset], %[one]\n\t"
      "vmult.i16 %q[x], %q[x], %[radix]"
      : [x] "+w"(b->x), [offset] "+w"(b->offset), [byte] "=&w"(byte)
      : [lowest] "w"(b->lowest), [bytes] "r"(b->bytes), [one] "r"(1), [radix] "r"(256));
  b->x = vorrq_u16(b->x, byte);
}

/* Stores the values whose positions lie inside the block. */
SPK_INLINE void store(const block *b, uint16x8_t value) {
  __asm__ volatile(
      "vpt.i16 ne, %q[position], %[outside]\n\t"
      "vstrbt.16 %q[value], [%[origin], %q[position]]"
      :
      : [position] "w"(b->position), [outside] "r"(OUTSIDE), [value] "w"(value), [origin] "r"(b->origin)
      : "memory");
}

/* One step of all lanes. Returns their slots. */
SPK_INLINE uint16x8_t step(block *b, const uint16_t *table) {
  const uint16x8_t slot = vmovlbq_u8(vreinterpretq_u8_u16(b->x));
  const uint8x16_t entry = vreinterpretq_u8_u16(vldrhq_gather_shifted_offset_u16(table, slot));
  b->x = vaddq_u16(vmulltq_int_u8(vreinterpretq_u8_u16(b->x), entry), vmovlbq_u8(entry));
  take_bytes(b);
  return slot;
}

/* The raw bits of a row's gaps, where they are 1 or 2. */
SPK_INLINE uint16x8_t gap_row(const uint8_t *bits, uint32_t gap_raw, int16x8_t shift) {
  const uint32_t word = gap_raw == 1u ? *bits : spk_load_u16(bits);
  return vandq_u16(vshlq_u16(vdupq_n_u16((uint16_t)word), shift), vdupq_n_u16((uint16_t)((1u << gap_raw) - 1u)));
}

/* Field i / value_raw of bytes that hold the raw bits of 8 / value_raw values. */
SPK_INLINE uint16x8_t value_row(const uint8_t *bits, uint32_t value_raw, uint32_t i) {
  uint16x8_t raw = vldrbq_u16(bits);
  if (i == 2u) raw = vshrq_n_u16(raw, 2);
  if (i == 4u) raw = vshrq_n_u16(raw, 4);
  if (i == 6u) raw = vshrq_n_u16(raw, 6);
  /* Compilers would make a vector of the constant, for which there is no register. */
  if (i == 0 && value_raw == 4u) __asm__("vbic.i16 %q[raw], #0xf0" : [raw] "+w"(raw));
  if (i != 6u && value_raw == 2u) __asm__("vbic.i16 %q[raw], #0xfc" : [raw] "+w"(raw));
  return raw;
}

/* As many rows as a byte holds raw bits of, 8 / value_raw or one without raw bits, times turns. Nothing checks that
 * bytes lie inside: the caller knows. only_gap: 0, or what every gap is. Constants where this is inlined: value_raw,
 * gap_raw, and whether only_gap is 0. */
SPK_INLINE void rows(block *at, const tables *t, uint32_t turns, uint32_t value_raw, uint32_t gap_raw,
                     uint32_t only_gap) {
  block b = *at;
  const int16x8_t shift = vreinterpretq_s16_u16(vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)(0u - gap_raw)));
  for (; turns; turns--) {
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 8u; i += value_raw != 0 ? value_raw : 8u) {
      if (only_gap == 0) {
        b.position = vqaddq_u16(b.position, vldrhq_gather_shifted_offset_u16(t->gap, step(&b, t->gap_step)));
      } else {
        b.position = vqaddq_n_u16(b.position, (uint16_t)only_gap);
      }
      if (gap_raw != 0) {
        b.position = vqaddq_u16(b.position, gap_row(b.gap_bits, gap_raw, shift));
        b.gap_bits += gap_raw;
      }
      const uint16x8_t lowest = vldrbq_gather_offset_u16(t->value, step(&b, t->value_step));
      store(&b, value_raw != 0 ? vaddq_u16(lowest, value_row(b.value_bits, value_raw, i)) : lowest);
    }
    if (value_raw != 0) b.value_bits += SPK_RANS_LANES;
  }
  *at = b;
}

/* One step of the active lanes that reads no byte from readable on. Returns their slots. */
static uint16x8_t careful_step(block *b, const uint16_t *table, uint32_t readable, mve_pred16_t active) {
  const uint16x8_t slot = vmovlbq_u8(vreinterpretq_u8_u16(b->x));
  const uint8x16_t entry = vreinterpretq_u8_u16(vldrhq_gather_shifted_offset_u16(table, slot));
  const uint16x8_t x = vaddq_u16(vmulltq_int_u8(vreinterpretq_u8_u16(b->x), entry), vmovlbq_u8(entry));
  const mve_pred16_t low = vcmphiq_m_u16(b->lowest, x, active);
  const mve_pred16_t inside = vcmphiq_m_u16(vdupq_n_u16((uint16_t)readable), b->offset, low);
  const uint16x8_t byte = vldrbq_gather_offset_z_u16(b->bytes, b->offset, inside);
  b->offset = vaddq_m_n_u16(b->offset, b->offset, 1, low);
  b->x = vpselq_u16(vorrq_u16(vshlq_m_n_u16(x, x, 8, low), byte), b->x, active);
  return slot;
}

/* Rows first to end - 1 of a block of n elements, whatever their raw bits are. */
SPK_NOINLINE static void careful_rows(block *b, const spk_rans_streams *s, const tables *t, uint32_t first, uint32_t n,
                                      uint32_t readable) {
  const uint16x8_t bit = vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)s->gap_raw);
  const uint16x8_t gap_byte = vshrq_n_u16(bit, 3);
  const int16x8_t gap_shift = vnegq_s16(vreinterpretq_s16_u16(vandq_u16(bit, vdupq_n_u16(7))));
  const uint16x8_t gap_mask = vdupq_n_u16((uint16_t)((1u << s->gap_raw) - 1u));
  const uint16x8_t value_mask = vdupq_n_u16((uint16_t)((1u << s->value_raw) - 1u));
  const uint16x8_t only_gap = vdupq_n_u16((uint16_t)spk_rans_gap(s, 0));
  const uint16x8_t only_value = vdupq_n_u16(spk_lowest_value(&s->bins, 0));
  for (uint32_t row = first; SPK_RANS_LANES * row < n; row++) {
    const mve_pred16_t active = vctp16q(n - SPK_RANS_LANES * row);
    uint16x8_t gap = only_gap, value = only_value;
    if (s->n_gaps > 1u) {
      gap = vldrhq_gather_shifted_offset_u16(t->gap, careful_step(b, t->gap_step, readable, active));
    }
    if (s->n_values > 1u) {
      value = vldrbq_gather_offset_u16(t->value, careful_step(b, t->value_step, readable, active));
    }
    if (s->gap_raw != 0) {
      const uint16x8_t raw = vldrbq_gather_offset_u16(s->gap_bits + row * s->gap_raw, gap_byte);
      gap = vaddq_u16(gap, vandq_u16(vshlq_u16(raw, gap_shift), gap_mask));
    }
    if (s->value_raw != 0) {
      const uint32_t bits = row * s->value_raw;
      const uint16x8_t raw = vldrbq_u16(s->value_bits + bits / 8u * SPK_RANS_LANES);
      value = vaddq_u16(value, vandq_u16(vshlq_r_u16(raw, -(int32_t)(bits % 8u)), value_mask));
    }
    b->position = vqaddq_m_u16(b->position, b->position, gap, active);
    const mve_pred16_t inside = vcmpneq_m_n_u16(b->position, OUTSIDE, active);
    vstrbq_scatter_offset_p_u16(b->origin, b->position, value, inside);
  }
}

SPK_INLINE void rows_of_gaps(block *b, const spk_rans_streams *s, const tables *t, uint32_t turns, uint32_t value_raw) {
  if (s->n_gaps == 1u) {
    rows(b, t, turns, value_raw, 0, spk_rans_gap(s, 0));
  } else if (s->gap_raw == 0) {
    rows(b, t, turns, value_raw, 0, 0);
  } else if (s->gap_raw == 1u) {
    rows(b, t, turns, value_raw, 1, 0);
  } else {
    rows(b, t, turns, value_raw, 2, 0);
  }
}

/* The rows that have a loop of their own, in turns. */
SPK_NOINLINE static void fast_rows(block *b, const spk_rans_streams *s, const tables *t, uint32_t turns) {
  if (s->value_raw == 4u) {
    rows_of_gaps(b, s, t, turns, 4);
  } else if (s->value_raw == 2u) {
    rows_of_gaps(b, s, t, turns, 2);
  } else {
    rows_of_gaps(b, s, t, turns, 0);
  }
}

static bool has_fast_rows(const spk_rans_streams *s) {
  if (s->n_values == 1u) return false;
  return s->n_gaps == 1u ? s->gap_raw == 0 : s->gap_raw <= 2u;
}

static bool decode_block(spk_rans_streams *s, const tables *t, int8_t *dst, uint32_t length, const uint8_t *end) {
  const uint32_t n = spk_rans_elements(s->record);
  const uint32_t origin = OUTSIDE - 1u - length; /* one before the position of the first element */
  /* Lane i starts where lane i - 1 ends. */
  uint16_t offsets[SPK_RANS_LANES + 1] = {0}, positions[SPK_RANS_LANES + 1] = {(uint16_t)origin};
  uint32_t offset = 0, furthest_end = 0;
  SPK_NO_UNROLL
  for (uint32_t lane = 0; lane < SPK_RANS_LANES; lane++) {
    const uint32_t stop = spk_rans_end(s, lane, length);
    if (stop > furthest_end) furthest_end = stop;
    offset += spk_rans_size(s, lane);
    positions[lane + 1u] = (uint16_t)(origin + stop);
    offsets[lane + 1u] = (uint16_t)offset;
  }
  if (furthest_end > length || offset > (uint32_t)(s->bytes_end - s->bytes) || !spk_rans_has(s, n)) return false;
  block b = {.x = vreinterpretq_u16_u8(vldrbq_u8(s->record + SPK_RANS_STATES)),
             .offset = vldrhq_u16(offsets),
             .position = vldrhq_u16(positions),
             .lowest = vdupq_n_u16(SPK_RANS_LOWEST),
             .bytes = s->bytes,
             .value_bits = s->value_bits,
             .gap_bits = s->gap_bits,
             .origin = (uint8_t *)dst - 1 - origin};

  /* A step takes a byte at most: as long as that cannot lead any lane out of the tile, nobody has to look. */
  const uint32_t readable = spk_min_u32((uint32_t)(end - s->bytes), UINT16_MAX);
  uint32_t row = 0;
  if (has_fast_rows(s)) {
    const uint32_t in_turn = s->value_raw != 0 ? 8u / s->value_raw : 1u, steps = s->n_gaps > 1u ? 2u : 1u;
    for (;;) {
      const uint32_t furthest = vmaxvq_u16(0, b.offset);
      const uint32_t safe = furthest < readable ? (readable - furthest) / steps : 0;
      const uint32_t turns = spk_min_u32(n / SPK_RANS_LANES - row, safe) / in_turn;
      if (turns == 0) break;
      fast_rows(&b, s, t, turns);
      row += turns * in_turn;
    }
  }
  careful_rows(&b, s, t, row, n, readable);

  const uint16x8_t wrong = vorrq_u16(
      veorq_u16(b.x, b.lowest),
      vorrq_u16(veorq_u16(b.offset, vldrhq_u16(offsets + 1)), veorq_u16(b.position, vldrhq_u16(positions + 1))));
  spk_rans_next(s, n, offset);
  return vmaxvq_u16(0, wrong) == 0;
}

spk_status spk_rans_decode(const spk_tile *tile, int8_t *dst) {
  spk_rans_streams s;
  tables t;
  if (!spk_rans_open(tile, &s) || !build(&s, &t)) return SPK_ERROR_STREAM;
  spk_fill_zero(dst, tile->n);
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
